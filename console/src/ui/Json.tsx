import type { ReactNode } from 'react';

/** A payload as text, with one line marked where a pointer (`/properties/price`) says that it is wrong. */
export function Json({ value, label, pointer, maxHeight = 320 }: { value: unknown; label: string; pointer?: string | null; maxHeight?: number }) {
  const lines: ReactNode[] = [];
  let key = 0;
  const put = (indent: number, node: ReactNode, bad: boolean) => {
    lines.push(bad ? <span className="er" key={key++}>{'  '.repeat(indent)}{node}</span> : <span key={key++}>{'  '.repeat(indent)}{node}{'\n'}</span>);
  };
  const scalar = (v: unknown): ReactNode => (typeof v === 'string' ? <span className="s">{JSON.stringify(v)}</span> : <span className="n">{String(JSON.stringify(v))}</span>);
  const walk = (v: unknown, path: string, name: string | null, indent: number, comma: string) => {
    const head = name === null ? null : <>{JSON.stringify(name)}: </>;
    const bad = Boolean(pointer) && path === pointer;
    if (v === undefined) return;
    if (v !== null && typeof v === 'object') {
      const list = Array.isArray(v);
      const entries = Object.entries(v).filter(([, x]) => x !== undefined);
      if (entries.length === 0) return put(indent, <>{head}{list ? '[]' : '{}'}{comma}</>, bad);
      put(indent, <>{head}{list ? '[' : '{'}</>, bad);
      entries.forEach(([k, x], i) => walk(x, `${path}/${k.replaceAll('~', '~0').replaceAll('/', '~1')}`, list ? null : k, indent + 1, i < entries.length - 1 ? ',' : ''));
      return put(indent, <>{list ? ']' : '}'}{comma}</>, false);
    }
    put(indent, <>{head}{scalar(v)}{comma}</>, bad);
  };
  walk(value, '', null, 0, '');
  return (
    <pre className="code" tabIndex={0} role="region" aria-label={label} style={{ maxHeight }}>
      {lines}
    </pre>
  );
}
