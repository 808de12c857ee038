import { Button, Modal, NativeSelect, Textarea } from '@mantine/core';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import * as f from '../format';
import { parseTsv, plain } from './tsv';

export interface PasteField { id: string; name: string; also?: string[] }
export interface Pasted { fields: (string | null)[]; rows: string[][]; header: string[] }

/** Which field each column is, by its head; each field once. */
export function match(header: string[], fields: PasteField[]): (string | null)[] {
  const taken = new Set<string>();
  return header.map((h) => {
    const word = plain(h);
    const found = fields.find((x) => !taken.has(x.id) && [x.id, x.name, ...(x.also ?? [])].some((n) => plain(n) === word));
    if (found) taken.add(found.id);
    return found?.id ?? null;
  });
}

/**
 * A table from a spreadsheet: paste, say which column is what, look, apply. The first row is the heads. What can be done
 * with the rows is the page's: `children` draws the look and the act.
 */
export function PasteDialog(p: {
  opened: boolean;
  close: () => void;
  title: string;
  help: ReactNode;
  start?: string;
  fields: PasteField[];
  /** A head that is no field may become one by its own name. */
  own?: (header: string) => PasteField | null;
  most: number;
  children: (pasted: Pasted) => ReactNode;
}) {
  const { t } = useTranslation();
  const [text, setText] = useState(p.start ?? '');
  useEffect(() => { if (p.opened) setText(p.start ?? ''); }, [p.opened, p.start]);
  const table = useMemo(() => parseTsv(text), [text]);
  const header = table[0] ?? [];
  const headKey = header.join('\u0000');
  const fields = useMemo(() => {
    const extra = header.flatMap((h) => { const x = p.own?.(h); return x && !p.fields.some((y) => y.id === x.id) ? [x] : []; });
    return [...p.fields, ...extra];
  }, [headKey, p.fields]); // eslint-disable-line -- the heads decide
  const [chosen, setChosen] = useState<(string | null)[]>([]);
  useEffect(() => setChosen(match(header, fields)), [headKey, fields]); // eslint-disable-line -- anew for other heads only
  const rows = useMemo(() => table.slice(1), [table]);
  const set = (at: number, id: string) => setChosen((c) => c.map((x, i) => (i === at ? id || null : x === id ? null : x)));
  const pasted = useMemo(() => ({ fields: chosen, rows, header }), [chosen, rows, headKey]); // eslint-disable-line -- as above
  const ready = chosen.length === header.length && header.length > 0;
  return (
    <Modal opened={p.opened} onClose={p.close} title={p.title} size={760} closeButtonProps={{ 'aria-label': t('close') }}>
      <div className="col g16" data-testid="paste-dialog">
        {rows.length === 0 ? (
          <>
            <div className="m2">{p.help}</div>
            <Textarea className="pastearea" data-autofocus label={t('paste.here')} autosize minRows={6} maxRows={12} value={text} onChange={(e) => setText(e.currentTarget.value)} spellCheck={false} data-testid="paste-text" />
            {header.length > 0 && <p className="m2" role="status">{t('paste.onlyHeads')}</p>}
            <div className="form-actions"><Button variant="subtle" onClick={p.close}>{t('cancel')}</Button></div>
          </>
        ) : rows.length > p.most ? (
          <>
            <p role="alert">{t('paste.tooMany', { n: f.number(rows.length), most: f.number(p.most) })}</p>
            <div className="form-actions"><Button variant="default" onClick={() => setText('')}>{t('paste.again')}</Button></div>
          </>
        ) : (
          <>
            <div className="row"><span className="sp b">{t('paste.rows', { count: rows.length, n: f.number(rows.length) })}</span><button type="button" className="textlink" onClick={() => setText('')}>{t('paste.again')}</button></div>
            <div className="changes" tabIndex={0} role="group" aria-label={t('paste.columns')} style={{ maxHeight: 220 }}>
              <table>
                <thead><tr><th scope="col">{t('paste.column')}</th><th scope="col">{t('paste.example')}</th><th scope="col">{t('paste.meaning')}</th></tr></thead>
                <tbody>
                  {header.map((h, at) => (
                    <tr key={at}>
                      <td className="b">{h || f.NONE}</td>
                      <td className="m2">{rows.slice(0, 2).map((r) => r[at]).filter(Boolean).join(', ') || f.NONE}</td>
                      <td>
                        <NativeSelect size="xs" aria-label={t('paste.meaningOf', { name: h || String(at + 1) })} value={chosen[at] ?? ''} onChange={(e) => set(at, e.currentTarget.value)} data={[{ value: '', label: t('paste.leaveOut') }, ...fields.map((x) => ({ value: x.id, label: x.name }))]} data-testid={`paste-field-${at}`} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            {ready && p.children(pasted)}
          </>
        )}
      </div>
    </Modal>
  );
}
