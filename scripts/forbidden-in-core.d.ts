// The core is plain data in, plain data out. tsconfig.core.json leads imports of
// Electron, ssh2, ws and Node built-ins here, where there is nothing to import.
export {};
