import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import type { GangwayApi } from '../shared/ipc-contract.ts';
import { parseWindowAddress } from '../shared/window-address.ts';
import { App } from './app.tsx';
import './design/tokens.css';
import './design/base.css';
import './design/components.css';
import './shell/shell.css';
import './settings/settings.css';
import './health/health.css';
import './chat/chat.css';
import './inbox/inbox.css';

declare global {
  interface Window {
    readonly gangway: GangwayApi;
  }
}

const container = document.getElementById('root');
if (container === null) throw new Error('index.html has no root');

createRoot(container).render(
  <StrictMode>
    <App api={window.gangway} address={parseWindowAddress(window.location.search)} />
  </StrictMode>,
);
