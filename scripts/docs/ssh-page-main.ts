import { writePage } from './ssh-page.ts';

await writePage();
