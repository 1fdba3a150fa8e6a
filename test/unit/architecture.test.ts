import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

interface Source {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}
interface Import {
  /** A path like `Source.path` for files of ours, else the package or `node:` module. */
  readonly target: string;
  readonly isOurs: boolean;
}

const SOURCES = filesUnder('src')
  .filter((path) => /\.(ts|tsx)$/.test(path))
  .map(readSource);

function filesUnder(dir: string): readonly string[] {
  return readdirSync(join(ROOT, dir), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
}

/** Read by the compiler's own scanner, so that `import type`, re-exports and `import()` count and comments do not. */
function readSource(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const imports = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }): Import => {
    if (!fileName.startsWith('.')) return { target: fileName, isOurs: false };
    return { target: join(dirname(path), fileName).replaceAll('\\', '/'), isOurs: true };
  });
  return { path, text, imports };
}

const filesByPath = new Set(filesUnder('src'));

/** Every import that breaks a rule, as `importer -> imported`. */
function breaches(
  isSubject: (path: string) => boolean,
  isAllowed: (imported: Import, importer: string) => boolean,
): readonly string[] {
  return SOURCES.filter(({ path }) => isSubject(path)).flatMap(({ path, imports }) =>
    imports.filter((imported) => !isAllowed(imported, path)).map(({ target }) => `${path} -> ${target}`),
  );
}

const within =
  (...dirs: readonly string[]) =>
  (path: string): boolean =>
    dirs.some((dir) => path.startsWith(`${dir}/`) || path === dir);
const isPackage = ({ target, isOurs }: Import, ...names: readonly string[]): boolean =>
  !isOurs && names.some((name) => target === name || target.startsWith(`${name}/`));

describe('import walls', () => {
  it('sees the imports that it judges', () => {
    expect(SOURCES.length).toBeGreaterThan(30);
    const supervisor = SOURCES.find(({ path }) => path === 'src/main/core/connection/supervisor.ts');
    expect(supervisor?.imports).toContainEqual({ target: 'src/shared/connection-state.ts', isOurs: true });
    const missing = SOURCES.flatMap(({ path, imports }) =>
      imports
        .filter(({ target, isOurs }) => isOurs && !target.endsWith('.css') && !filesByPath.has(target))
        .map(({ target }) => `${path} -> ${target}`),
    );
    expect(missing).toEqual([]);
  });

  it('shared imports only shared, zod and i18next', () => {
    const isAllowed = (imported: Import): boolean =>
      imported.isOurs ? within('src/shared')(imported.target) : isPackage(imported, 'zod', 'i18next');
    expect(breaches(within('src/shared'), isAllowed)).toEqual([]);
  });

  it('core imports only core, shared, zod, and the platform-free part of the official gateway client', () => {
    const isAllowed = (imported: Import): boolean =>
      imported.isOurs
        ? within('src/main/core', 'src/shared')(imported.target)
        : isPackage(imported, 'zod', '@openclaw/gateway-client/browser');
    expect(breaches(within('src/main/core'), isAllowed)).toEqual([]);
  });

  it('node knows nothing of Electron or of the application around it', () => {
    const isAllowed = (imported: Import): boolean =>
      !imported.isOurs || within('src/main/node', 'src/main/core', 'src/shared')(imported.target);
    expect(breaches(within('src/main/node'), isAllowed)).toEqual([]);
  });

  it('app, between core and Electron, runs under plain Node too', () => {
    const isAllowed = (imported: Import): boolean =>
      !imported.isOurs ||
      within('src/main/app', 'src/main/core', 'src/main/node', 'src/shared')(imported.target);
    expect(breaches(within('src/main/app'), isAllowed)).toEqual([]);
  });

  it('only src/main/electron, src/main/index.ts and src/preload import electron', () => {
    const mayUse = within('src/main/electron', 'src/main/index.ts', 'src/preload');
    expect(
      breaches(
        (path) => !mayUse(path),
        (imported) => !isPackage(imported, 'electron'),
      ),
    ).toEqual([]);
  });

  it('only src/main/node/ssh imports ssh2', () => {
    const mayUse = within('src/main/node/ssh');
    expect(
      breaches(
        (path) => !mayUse(path),
        (imported) => !isPackage(imported, 'ssh2'),
      ),
    ).toEqual([]);
  });

  it('the renderer reaches main only through the contract', () => {
    const isAllowed = (imported: Import): boolean =>
      imported.isOurs
        ? within('src/renderer', 'src/shared')(imported.target)
        : !imported.target.startsWith('node:') && !isPackage(imported, 'electron', 'ws', 'ssh2');
    expect(breaches(within('src/renderer'), isAllowed)).toEqual([]);
  });

  it('preload imports only Electron and shared', () => {
    const isAllowed = (imported: Import): boolean =>
      imported.isOurs
        ? within('src/preload', 'src/shared')(imported.target)
        : isPackage(imported, 'electron');
    expect(breaches(within('src/preload'), isAllowed)).toEqual([]);
  });

  it('nothing imports the composition roots', () => {
    const roots = [
      'src/main/index.ts',
      'src/main/tunnel-process.ts',
      'src/renderer/main.tsx',
      'src/preload/index.ts',
    ];
    expect(
      breaches(
        () => true,
        ({ target }) => !roots.includes(target),
      ),
    ).toEqual([]);
  });
});

describe('house rules', () => {
  it('no source file names a place of the machine that it was written on', () => {
    // Written apart, so that this file does not find itself.
    const places = [
      ['', 'work', ''],
      ['', 'root', ''],
      ['', 'tmp', ''],
      ['', 'home', 'user'],
      ['', 'Users', ''],
    ];
    const patterns = [...places.map((parts) => parts.join('/')), ROOT];
    const files = [...filesUnder('src'), ...filesUnder('assets')].filter((path) =>
      /\.(tsx?|html|css|json|svg)$/.test(path),
    );
    const found = files.flatMap((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8');
      return patterns.filter((pattern) => text.includes(pattern)).map((pattern) => `${path}: ${pattern}`);
    });
    expect(found).toEqual([]);
  });

  it('no module has a default export', () => {
    const found = SOURCES.filter(({ text }) => /^export default /m.test(text)).map(({ path }) => path);
    expect(found).toEqual([]);
  });

  it('files are named in kebab-case', () => {
    const found = SOURCES.map(({ path }) => path).filter(
      (path) => !/^[a-z0-9-]+(\.d)?\.tsx?$/.test(path.split('/').at(-1) ?? ''),
    );
    expect(found).toEqual([]);
  });

  it('the main process loads no SSH: that is the tunnel process', () => {
    const loaded = loadedFrom('src/main/index.ts');
    expect(loaded).toContain('src/main/app/command-handlers.ts');
    expect(loaded).not.toContain('ssh2');
    expect(loadedFrom('src/main/tunnel-process.ts')).toContain('ssh2');
  });
});

/** Files and packages that are loaded with a file: no types, and nothing that a call imports later. */
function loadedFrom(entry: string): ReadonlySet<string> {
  const loaded = new Set<string>();
  const queue = [entry];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (loaded.has(path)) continue;
    loaded.add(path);
    const text = SOURCES.find((source) => source.path === path)?.text;
    if (text === undefined) continue;
    for (const statement of ts.createSourceFile(path, text, ts.ScriptTarget.Latest).statements) {
      const target = loadedBy(statement);
      if (target !== null) {
        queue.push(target.startsWith('.') ? join(dirname(path), target).replaceAll('\\', '/') : target);
      }
    }
  }
  return loaded;
}

function loadedBy(statement: ts.Statement): string | null {
  const isLoading =
    (ts.isImportDeclaration(statement) &&
      statement.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword) ||
    (ts.isExportDeclaration(statement) && !statement.isTypeOnly);
  if (!isLoading || statement.moduleSpecifier === undefined) return null;
  return ts.isStringLiteral(statement.moduleSpecifier) ? statement.moduleSpecifier.text : null;
}
