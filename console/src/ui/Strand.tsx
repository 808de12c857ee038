import { type RefObject, useLayoutEffect, useState } from 'react';
import type { Strand as StrandName } from '../api/types';

const LANES: StrandName[] = ['online', 'store', 'message', 'talk', 'partner'];
export const laneX = (s: StrandName, gap = 21, left = 20) => left + Math.max(0, LANES.indexOf(s)) * gap;

interface Point {
  x: number;
  y: number;
  strand: StrandName;
}

/** The line of one customer through the five lanes. Half of each bend has the colour it leaves, half the colour it reaches. */
export function path(points: Point[], radius: number) {
  const parts: { d: string; strand: StrandName }[] = [];
  for (let i = 0; i + 1 < points.length; i++) {
    const a = points[i]!;
    const b = points[i + 1]!;
    const y0 = a.y + radius;
    const y1 = b.y - radius;
    if (y1 <= y0) continue;
    const mx = (a.x + b.x) / 2;
    const my = (y0 + y1) / 2;
    const q = (y1 - y0) / 4;
    parts.push({ d: `M${a.x} ${y0}C${a.x} ${y0 + q} ${(a.x + mx) / 2} ${my - q / 2} ${mx} ${my}`, strand: a.strand });
    parts.push({ d: `M${mx} ${my}C${(mx + b.x) / 2} ${my + q / 2} ${b.x} ${y1 - q} ${b.x} ${y1}`, strand: b.strand });
  }
  return parts;
}

/** Measures the rows (`[data-strand]`) inside a box and draws through them, so that an opened entry moves the line with it. */
export function Strand({ box, version, tail }: { box: RefObject<HTMLElement | null>; version: unknown; tail?: boolean }) {
  const [drawn, setDrawn] = useState<{ points: Point[]; height: number }>({ points: [], height: 0 });
  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    const measure = () => {
      const points = [...el.querySelectorAll<HTMLElement>('[data-strand]')].map((row) => {
        const strand = row.dataset.strand as StrandName;
        return { x: laneX(strand), y: row.offsetTop + 25, strand };
      });
      setDrawn({ points, height: el.scrollHeight });
    };
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(el);
    return () => watch.disconnect();
  }, [box, version]);
  const last = drawn.points[drawn.points.length - 1];
  return (
    <svg className="strand" width={124} height={drawn.height} aria-hidden="true">
      {LANES.map((l) => (
        <line key={l} x1={laneX(l)} x2={laneX(l)} y1={0} y2={drawn.height} stroke="var(--line)" strokeDasharray="1 5" strokeLinecap="round" />
      ))}
      <g fill="none" strokeWidth={2.5} strokeLinecap="round">
        {path(drawn.points, 12).map((p, i) => (
          <path key={i} d={p.d} stroke={`var(--${p.strand})`} />
        ))}
        {tail && last && <path d={`M${last.x} ${last.y + 12}V${drawn.height}`} stroke={`var(--${last.strand})`} strokeDasharray="2 5" />}
      </g>
    </svg>
  );
}

/** The small one of a preview: the last few steps, a row of 34 each. */
export function MiniStrand({ rows }: { rows: { key: string; strand: StrandName; text: string; time: string; exact: string }[] }) {
  const points = rows.map((r, i) => ({ x: laneX(r.strand, 12, 8), y: 17 + i * 34, strand: r.strand }));
  return (
    <div className="ministrand">
      <svg className="strand" width={64} height={rows.length * 34} aria-hidden="true">
        <g fill="none" strokeWidth={2} strokeLinecap="round">
          {path(points, 5).map((p, i) => (
            <path key={i} d={p.d} stroke={`var(--${p.strand})`} />
          ))}
          {points.map((p, i) => (
            <circle key={i} cx={p.x} cy={p.y} r={4.5} stroke={`var(--${p.strand})`} />
          ))}
        </g>
      </svg>
      <ol>
        {rows.map((r) => (
          <li key={r.key} className="mrow">
            <span className="sp el">{r.text}</span>
            <time className="m t12" title={r.exact}>{r.time}</time>
          </li>
        ))}
      </ol>
    </div>
  );
}
