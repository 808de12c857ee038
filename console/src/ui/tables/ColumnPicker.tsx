import { Popover } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import * as f from '../format';
import { IconChevronDown, IconChevronUp, IconColumns } from '../icons';
import { move, toggle, widen } from './arrange';
import { type Arranged, titleOf } from './useArranged';

const STEP = 16;

/** Which columns, in which order, how wide. With the keyboard: ↑ ↓ go, Space shows and hides, Alt ↑ ↓ move, ← → change the width. */
export function ColumnPicker<T>({ table }: { table: Arranged<T> }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const list = useRef<HTMLUListElement>(null);
  const title = (id: string) => {
    const column = table.all.find((c) => c.id === id);
    return column ? titleOf(column) : id;
  };
  const width = (id: string, own?: number) => {
    const usual = table.all.find((c) => c.id === id)?.meta?.width;
    return own ?? (typeof usual === 'number' ? usual : 160);
  };
  const focus = (id: string) => list.current?.querySelector<HTMLElement>(`[data-col="${id}"]`)?.focus();
  // A row that is moved in the document loses the focus on its way.
  const moved = useRef<string>(undefined);
  useEffect(() => {
    if (moved.current) focus(moved.current);
    moved.current = undefined;
  }, [table.places]);
  return (
    <Popover opened={open} onChange={setOpen} width={300} position="bottom-end" trapFocus returnFocus>
      <Popover.Target>
        <button type="button" className={`chip${table.usual ? '' : ' on'}`} aria-haspopup="dialog" aria-expanded={open} onClick={() => setOpen(!open)} data-testid="columns">
          <IconColumns className="s" /> <b>{t('table.columns')}</b>
        </button>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('table.columns')} p={8}>
        <ul ref={list} className="picker" data-testid="column-list">
          {table.places.map((p, at) => (
            <li key={p.id} className="row g4">
              <label className="row sp">
                <input
                  type="checkbox"
                  data-col={p.id}
                  data-autofocus={at === 0 || undefined}
                  checked={!p.hidden}
                  aria-disabled={at === 0}
                  aria-describedby="picker-keys"
                  onChange={() => table.arrange(toggle(table.places, p.id))}
                  onKeyDown={(e) => {
                    const step = e.code === 'ArrowUp' ? -1 : e.code === 'ArrowDown' ? 1 : 0;
                    const wider = e.code === 'ArrowRight' ? 1 : e.code === 'ArrowLeft' ? -1 : 0;
                    if (!step && !wider) return;
                    e.preventDefault();
                    if (wider) table.arrange(widen(table.places, p.id, width(p.id, p.width) + wider * STEP));
                    else if (e.altKey) {
                      moved.current = p.id;
                      table.arrange(move(table.places, p.id, step as 1 | -1));
                    } else focus(table.places[Math.min(table.places.length - 1, Math.max(0, at + step))]!.id);
                  }}
                />
                <span className="el">{title(p.id)}</span>
              </label>
              {p.width && <span className="t12 m">{t('table.px', { n: f.number(p.width) })}</span>}
              {at > 0 && (
                <>
                  <button type="button" className="mini" tabIndex={-1} aria-label={t('table.up', { name: title(p.id) })} disabled={at === 1} onClick={() => table.arrange(move(table.places, p.id, -1))}><IconChevronUp className="s" /></button>
                  <button type="button" className="mini" tabIndex={-1} aria-label={t('table.down', { name: title(p.id) })} disabled={at === table.places.length - 1} onClick={() => table.arrange(move(table.places, p.id, 1))}><IconChevronDown className="s" /></button>
                </>
              )}
            </li>
          ))}
        </ul>
        <p className="t12 m" id="picker-keys" style={{ padding: '8px 8px 4px' }}>{t('table.pickerKeys')}</p>
        {!table.usual && <button type="button" className="textlink" style={{ margin: '4px 8px 8px' }} onClick={table.reset}>{t('table.reset')}</button>}
      </Popover.Dropdown>
    </Popover>
  );
}
