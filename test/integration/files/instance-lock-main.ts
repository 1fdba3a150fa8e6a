import { takeInstanceLock } from '../../../src/main/node/instance-lock.ts';

/** Says whether it has the lock of the folder that it is given, and holds it until it is ended. */
process.stdout.write(takeInstanceLock(process.argv[2] ?? '') ? 'alone\n' : 'another one\n');
setInterval(() => undefined, 60_000);
