import type { Messages } from './en.ts';

/** Korean. Terms follow the product's origin document; sentences are short and in the 합니다 style. */
export const ko: Messages = {
  status: {
    connected: '연결됨',
    connecting: '연결 중',
    reconnecting: '다시 연결 중',
    waitingForUser: '사용자 확인 대기 중',
    paused: '일시 중지됨',
    offline: '오프라인',
    needsAttention: '확인 필요',
    disconnected: '연결 안 됨',
  },
  failures: {},
  failureActions: {},
  stages: {},
  prompts: {},
  tray: {},
  settings: {},
  fieldErrors: {},
  chat: {},
  health: {},
  notices: {},
  common: {},
};
