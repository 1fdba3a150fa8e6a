import { plainLines, plainText } from '../../core/plain-text.ts';
import type { Question } from './tunnel-session.ts';

/** Longest texts of a question in characters; a server that says more is cut. */
const MAX_LINE_CHARS = 500;
const MAX_TEXT_CHARS = 2_000;
/** More prompts than that in one request (RFC 4256, section 3.2) are no sign-in. */
const MAX_PROMPTS = 32;

/**
 * The question with every text that a server or ssh may have written cut and without control characters, whatever the
 * transport made of them. Null where it asks for nothing, or for more than anybody would answer.
 */
export function boundedQuestion(question: Question): Question | null {
  switch (question.type) {
    case 'keyboard-interactive': {
      const { prompts } = question;
      if (prompts.length === 0 || prompts.length > MAX_PROMPTS) return null;
      return {
        ...question,
        name: plainText(question.name, MAX_LINE_CHARS),
        instructions: plainLines(question.instructions, MAX_TEXT_CHARS),
        prompts: prompts.map(({ text, echo }) => ({ text: plainText(text, MAX_LINE_CHARS), echo })),
      };
    }
    case 'confirm':
    case 'notice':
      return { ...question, text: plainLines(question.text, MAX_TEXT_CHARS) };
    case 'host-key':
    case 'passphrase':
    case 'password':
      return question;
  }
}
