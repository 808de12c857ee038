import { Popover, Tooltip } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { type ComponentProps, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { sayProblem } from '../api/problem';
import type { Strand } from '../api/types';
import * as f from './format';
import { IconAlertHexagon, IconBuildingStore, IconCheck, IconCloudOff, IconCopy, IconLock, IconMessageCircle, IconSend, IconTruck, IconWorld, IconX } from './icons';

/** The title is the object or the question; what can be done stands at its right. */
export function PageHeader(p: { title: ReactNode; note?: ReactNode; badge?: ReactNode; actions?: ReactNode; titleTestId?: string }) {
  return (
    <div className="head">
      <h1 data-testid={p.titleTestId}>{p.title}</h1>
      {p.badge}
      {p.note !== undefined && <span className="m2">{p.note}</span>}
      <span className="sp" />
      {p.actions}
    </div>
  );
}

export interface StripItem {
  label: string;
  value: ReactNode;
  note?: ReactNode;
  tone?: 'good' | 'bad' | 'warn';
  to?: string;
  search?: Record<string, unknown>;
  testId?: string;
}

/** Numbers first: each opens the list of what it counts. */
export function NumberStrip({ items, calm, label }: { items: StripItem[]; calm?: boolean; label: string }) {
  return (
    <section className="card strip" aria-label={label}>
      {items.map((i) => {
        const inside = (
          <>
            <span className="label el">{i.label}</span>
            <span className={`v${i.tone ? ` ${i.tone}-text` : ''}`} data-testid={i.testId}>{i.value}</span>
            <span className="note el">{i.note ?? '\u00a0'}</span>
          </>
        );
        const cls = `k${calm ? ' calm' : ''}`;
        return i.to ? (
          <Link key={i.label} className={cls} to={i.to} search={i.search as never}>{inside}</Link>
        ) : (
          <div key={i.label} className={cls}>{inside}</div>
        );
      })}
    </section>
  );
}

/** A region with its own skeleton, emptiness and error, so that one broken part leaves the others alone. */
export function Panel<T>(p: {
  title?: ReactNode;
  count?: ReactNode;
  right?: ReactNode;
  query?: { data: T | undefined; error: unknown; refetch: () => unknown };
  empty?: (data: T) => boolean;
  emptyText?: ReactNode;
  skeleton?: number;
  className?: string;
  testId?: string;
  children: ReactNode | ((data: T) => ReactNode);
}) {
  const id = useId();
  const { query } = p;
  let body: ReactNode;
  if (!query) body = p.children as ReactNode;
  else if (query.data !== undefined) body = p.empty?.(query.data) ? p.emptyText : typeof p.children === 'function' ? p.children(query.data) : p.children;
  else if (query.error) body = <div className="body"><ErrorNote error={query.error} retry={() => void query.refetch()} /></div>;
  else body = <Skeleton rows={p.skeleton ?? 4} />;
  return (
    <section className={`card ${p.className ?? ''}`} aria-labelledby={p.title ? id : undefined} data-testid={p.testId}>
      {(p.title || p.right) && (
        <header>
          {p.title && <h2 id={id}>{p.title}</h2>}
          {p.count !== undefined && p.count !== null && <span className="m">{p.count}</span>}
          <span className="sp" />
          {p.right}
        </header>
      )}
      {body}
    </section>
  );
}

export function Skeleton({ rows, height = 40 }: { rows: number; height?: number }) {
  const widths = [34, 46, 28, 52, 40, 31];
  return (
    <div className="skeleton body" aria-hidden="true">
      {Array.from({ length: rows }, (_, i) => (
        <div className="srow" key={i} style={{ height }}>
          <i style={{ width: `${widths[i % 6]}%` }} />
          <span className="sp" />
          <i style={{ width: '12%' }} />
        </div>
      ))}
    </div>
  );
}

/** What happened, what was kept, what to do. */
export function ErrorNote({ error, retry, kept }: { error: unknown; retry?: () => void; kept?: string }) {
  const { t } = useTranslation();
  return (
    <div className="notice bad" role="alert">
      <IconCloudOff />
      <div className="col sp">
        <span className="b">{sayProblem(error)}</span>
        <span className="t12 m2">{kept ?? (retry ? t('error.retrySafe') : '')}</span>
      </div>
      {retry && (
        <button type="button" className="chip" onClick={retry}>
          {t('error.tryNow')}
        </button>
      )}
    </div>
  );
}

/** An empty place says what will stand there and the one step that fills it. */
export function EmptyState({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children && <div className="m2">{children}</div>}
      {action}
    </div>
  );
}

export function Locked({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="notice">
      <IconLock />
      <div className="col sp">
        <span className="b">{title}</span>
        <span className="t12 m2">{children}</span>
      </div>
    </div>
  );
}

export const Badge = ({ tone, children }: { tone?: 'good' | 'warn' | 'bad' | 'info'; children: ReactNode }) => <span className={`bdg ${tone ?? ''}`}><span className="el">{children}</span></span>;

/** A moment as people say it, with the exact one at hand. */
export function When({ at, className }: { at: string; className?: string }) {
  useMinute();
  return (
    <time dateTime={at} title={f.exact(at)} className={className}>
      {f.ago(at)}
    </time>
  );
}

function useMinute() {
  const [, set] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => set((n) => n + 1), 30_000);
    return () => clearInterval(timer);
  }, []);
}

export const None = ({ why }: { why?: string }) => (
  <span className="m" title={why}>
    {f.NONE}
  </span>
);

export interface WhyStep {
  passed: boolean;
  text: ReactNode;
  detail?: ReactNode;
}

/** One sentence, the inputs, the rule: the same everywhere something was decided. */
export function Why(p: { title: string; badge?: ReactNode; sentence?: ReactNode; steps: WhyStep[]; foot?: ReactNode; rule?: ReactNode; label?: string }) {
  const { t } = useTranslation();
  return (
    <Popover width="auto" position="bottom-start" trapFocus withRoles>
      <Popover.Target>
        <button type="button" className="textlink under" onClick={(e) => e.stopPropagation()}>
          {p.label ?? t('why.open')}
        </button>
      </Popover.Target>
      <Popover.Dropdown p={0} aria-label={p.title}>
        <div className="why" onClick={(e) => e.stopPropagation()}>
          <div className="row">
            <h2 className="sp">{p.title}</h2>
            {p.badge}
          </div>
          {p.sentence && <p>{p.sentence}</p>}
          {p.steps.length > 0 && (
            <ul>
              {p.steps.map((s, i) => (
                <li key={i}>
                  {s.passed ? <IconCheck className="good-text" aria-label={t('why.passed')} /> : <IconX className="bad-text" aria-label={t('why.stopped')} />}
                  <span className="sp">{s.text}</span>
                  {s.detail && <span className="m t12">{s.detail}</span>}
                </li>
              ))}
            </ul>
          )}
          {(p.foot || p.rule) && (
            <div className="row t12 m">
              <span className="sp">{p.foot}</span>
              {p.rule}
            </div>
          )}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

export const strandIcon = { online: IconWorld, store: IconBuildingStore, message: IconSend, talk: IconMessageCircle, partner: IconTruck } satisfies Record<Strand, unknown>;
export const STRANDS: Strand[] = ['online', 'store', 'message', 'talk', 'partner'];

/** Copies with a word of confirmation in place. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const { t } = useTranslation();
  const [done, setDone] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  return (
    <button
      type="button"
      className="chip"
      onClick={() => {
        void navigator.clipboard?.writeText(text).then(() => {
          setDone(true);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => setDone(false), 2000);
        });
      }}
    >
      {done ? <IconCheck className="s" /> : <IconCopy className="s" />}
      <span aria-live="polite">{done ? t('copy.done') : label}</span>
    </button>
  );
}

export const Tip = (p: ComponentProps<typeof Tooltip>) => <Tooltip {...p} />;

export function InlineError({ children }: { children: ReactNode }) {
  return (
    <span className="error-text row g4" role="alert">
      <IconAlertHexagon className="s" />
      <span>{typeof children === 'string' ? coded(children) : children}</span>
    </span>
  );
}

/** What stands between backticks is code. */
const coded = (s: string): ReactNode => s.split('`').map((part, i) => (i % 2 ? <code key={i} className="mono">{part}</code> : part));

export function Avatar({ name, size }: { name: string; size?: 'mid' | 'big' }) {
  return (
    <span className={`av ${size ?? ''}`} aria-hidden="true">
      {f.initials(name)}
    </span>
  );
}
