/** The scripted model as a process of its own: prints one JSON line `{ port, url, pid }`, ends when its standard input closes. */
import { startScriptedModel } from './scripted-model.ts';

const model = await startScriptedModel();
process.stdout.write(`${JSON.stringify({ port: model.port, url: model.url, pid: process.pid })}\n`);
process.stdin.resume();
process.stdin.once('end', () => void model.close());
