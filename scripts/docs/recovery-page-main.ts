import { writeRecoveryPage } from './recovery-page.ts';

await writeRecoveryPage();
