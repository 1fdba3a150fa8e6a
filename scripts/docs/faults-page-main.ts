import { writePage } from './faults-page.ts';

await writePage();
