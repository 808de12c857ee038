// Rows of a spreadsheet as new rows of a table: looked at first, errors by row, taken back as a whole.
import { Button } from '@mantine/core';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { sayProblem } from '../../api/problem';
import * as f from '../format';
import { say, sayError } from '../toast';
import { type Line, linesOf } from './lines';
import { type Pasted, PasteDialog, type PasteField } from './PasteDialog';

/** What a table can take from a spreadsheet. */
export interface PasteSpec {
  title: string;
  help: string;
  fields: PasteField[];
  /** Fields without which a row is none. */
  required: string[];
  /** What is wrong with a row before the server is asked. */
  check?: (row: Record<string, string>) => string | null;
  /** What names a row to people. */
  name: (row: Record<string, string>) => string;
  add: (row: Record<string, string>) => Promise<unknown>;
  /** Takes one back; gets what `add` gave. */
  undo: (row: Record<string, string>, made: unknown) => Promise<unknown>;
  /** The table is to be read anew. */
  done: () => void;
}

const MOST = 200;
export default function PasteRows({ spec, start, opened, close }: { spec: PasteSpec; start?: string; opened: boolean; close: () => void }) {
  return (
    <PasteDialog opened={opened} close={close} start={start} title={spec.title} help={<p>{spec.help}</p>} fields={spec.fields} most={MOST}>
      {(pasted) => <Rows key={pasted.fields.join()} pasted={pasted} spec={spec} close={close} />}
    </PasteDialog>
  );
}

function Rows({ pasted, spec, close }: { pasted: Pasted; spec: PasteSpec; close: () => void }) {
  const { t } = useTranslation();
  const [refused, setRefused] = useState<Map<number, string>>(new Map());
  const [added, setAdded] = useState<Set<number>>(new Set());
  const [busy, setBusy] = useState(false);
  const lines = useMemo(() => linesOf(pasted, spec, { missing: t('pasterows.missing'), twice: t('pasterows.twice') }), [pasted, spec, t]);
  const lacking = spec.required.filter((id) => !pasted.fields.includes(id));
  if (lacking.length) return <p className="warn-text" role="status">{t('pasterows.noField', { names: f.list(lacking.map((id) => spec.fields.find((x) => x.id === id)?.name ?? id)) })}</p>;
  const open = lines.filter((l) => !l.wrong && !added.has(l.line));
  const apply = async () => {
    setBusy(true);
    const made: [Line, unknown][] = [];
    const bad = new Map<number, string>();
    // One after another: the server says of each what is wrong with it.
    for (const l of open) {
      try {
        made.push([l, await spec.add(l.row)]);
      } catch (error) {
        bad.set(l.line, sayProblem(error));
      }
    }
    setBusy(false);
    setRefused(bad);
    setAdded((before) => new Set([...before, ...made.map(([l]) => l.line)]));
    spec.done();
    if (made.length) {
      say(t('pasterows.added', { count: made.length, n: f.number(made.length) }), () => void Promise.all(made.map(([l, one]) => spec.undo(l.row, one))).then(spec.done, sayError));
    }
    if (!bad.size) close();
  };
  const said = (l: Line) => l.wrong ?? refused.get(l.line);
  return (
    <>
      <div className="changes" tabIndex={0} role="group" aria-label={t('pasterows.look')} style={{ maxHeight: 240 }}>
        <table>
          <thead><tr><th scope="col">{t('pasterows.row')}</th><th scope="col">{t('pasterows.what')}</th><th scope="col">{t('pasterows.becomes')}</th></tr></thead>
          <tbody>
            {lines.map((l) => (
              <tr key={l.line} data-testid="paste-row">
                <td className="m2">{f.number(l.line)}</td>
                <td className="b">{spec.name(l.row) || f.NONE}</td>
                <td>{added.has(l.line) ? <span className="good-text">{t('pasterows.isAdded')}</span> : said(l) ? <span className="bad-text wrap">{said(l)}</span> : <span className="m2">{t('pasterows.new')}</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="form-actions">
        <Button loading={busy} disabled={!open.length} onClick={() => void apply()} data-testid="paste-apply">{t('pasterows.add', { count: open.length, n: f.number(open.length) })}</Button>
        <Button variant="subtle" onClick={close}>{t('cancel')}</Button>
      </div>
    </>
  );
}
