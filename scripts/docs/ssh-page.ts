import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { SSH_DIRECTIVES, type SshDirective } from '../../src/main/core/ssh/directives.ts';

/** The generated parts of docs/ssh.md: what the matrix test recorded, and the table of directives that the code goes by. */

const PAGE = fileURLToPath(new URL('../../docs/ssh.md', import.meta.url));
const RECORD = fileURLToPath(new URL('../../docs/generated/ssh-matrix.json', import.meta.url));

type Rows = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** As test/integration/ssh/matrix-record.ts writes it. */
interface MatrixRecord {
  readonly versions: Readonly<Record<string, string>>;
  readonly tables: Readonly<Record<string, Rows>>;
}

const markers = (name: string): readonly [string, string] => [
  `<!-- generated: ${name} -->`,
  `<!-- end of generated: ${name} -->`,
];

/** The page as it should be, from the page as it is; throws where a marker is missing. */
export async function renderPage(): Promise<{ readonly committed: string; readonly expected: string }> {
  const committed = readFileSync(PAGE, 'utf8');
  const record = JSON.parse(readFileSync(RECORD, 'utf8')) as MatrixRecord;
  const filled = [
    ['matrix', renderMatrix(record)] as const,
    ['directives', renderDirectives(SSH_DIRECTIVES)] as const,
  ].reduce((page, [name, text]) => between(page, name, text), committed);
  const options = await resolveConfig(PAGE);
  return { committed, expected: await format(filled, { ...options, parser: 'markdown' }) };
}

export async function writePage(): Promise<void> {
  const { expected } = await renderPage();
  writeFileSync(PAGE, expected);
}

function between(page: string, name: string, text: string): string {
  const [begin, end] = markers(name);
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from === -1 || to < from) throw new Error(`docs/ssh.md has no place for "${name}".`);
  return `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`;
}

function renderMatrix({ versions, tables }: MatrixRecord): string {
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `Seen with ${programs.join(', ')}.`,
    ...Object.entries(tables).map(([title, rows]) => renderTable(title, rows)),
  ].join('\n\n');
}

function renderTable(title: string, rows: Rows): string {
  const columns = [...new Set(Object.values(rows).flatMap((cells) => Object.keys(cells)))];
  const body = Object.entries(rows).map(([row, cells]) =>
    line([row, ...columns.map((column) => shortly(cells[column] ?? ''))]),
  );
  const words = new Set(
    Object.values(rows).flatMap((cells) => Object.values(cells).flatMap((result) => failureOf(result) ?? [])),
  );
  return [
    `### ${title}`,
    [line(['', ...columns]), line(['', ...columns].map(() => '---')), ...body].join('\n'),
    ...(words.size === 0 ? [] : [[...words].sort().join('\n')]),
  ].join('\n\n');
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** `CODE: words`, perhaps after `asks …, then `. */
const FAILURE = /^(?:asks (?<asked>.+), then )?(?<code>[a-z0-9-]+): (?<words>.+)$/;

/** What "Automatic" took, before how it went. */
const CHOICE =
  /^(?<choice>ssh2|openssh|ssh2, then openssh)(?:, because: (?<because>[a-z0-9, -]+))?; (?<outcome>.+)$/;

function shortly(result: string): string {
  if (result === 'works') return 'yes';
  if (result.startsWith('works, asks ')) return `yes, asks: ${result.slice('works, asks '.length)}`;
  if (result === 'there is no such format') return '–';
  const { choice, because, outcome } = CHOICE.exec(result)?.groups ?? {};
  if (choice !== undefined && outcome !== undefined) {
    const name = choice.replaceAll('ssh2', 'built-in SSH').replaceAll('openssh', 'system OpenSSH');
    return `${shortly(outcome)}; ${because === undefined ? name : `${name} (${because})`}`;
  }
  const { asked, code } = FAILURE.exec(result)?.groups ?? {};
  if (code === undefined) throw new Error(`A result that has no words here: ${result}`);
  return asked === undefined ? `no: \`${code}\`` : `asks: ${asked}; no: \`${code}\``;
}

/** What the person reads, a line a kind. */
function failureOf(result: string): string | null {
  const outcome = CHOICE.exec(result)?.groups?.['outcome'] ?? result;
  const { code, words } = FAILURE.exec(outcome)?.groups ?? {};
  if (code === undefined || words === undefined || outcome.startsWith('works')) return null;
  return `- \`${code}\`: “${words.replaceAll('gangway-matrix', 'HOST')}”`;
}

const SUPPORT: Readonly<Record<SshDirective['support'], string>> = {
  honoured: 'yes',
  openssh: 'with OpenSSH',
  meaningless: 'no meaning here',
};

function renderDirectives(directives: readonly SshDirective[]): string {
  const counts = (Object.keys(SUPPORT) as SshDirective['support'][]).map(
    (support) => `${directives.filter((each) => each.support === support).length} “${SUPPORT[support]}”`,
  );
  return [
    `${directives.length} directives: ${counts.join(', ')}.`,
    [
      line(['Directive', 'Honoured', 'Note']),
      line(['---', '---', '---']),
      ...directives.map(({ name, support, decides, note }) =>
        line([`\`${name}\``, SUPPORT[support], decides ? `${note} “Automatic” then takes OpenSSH.` : note]),
      ),
    ].join('\n'),
  ].join('\n\n');
}
