import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useShortcut } from './shortcuts';

const Canvas = lazy(() => import('./ChartCanvas'));

export interface ChartData {
  /** What the axis says and what the table calls the rows. */
  categories: string[];
  categoryName: string;
  series: {
    name: string;
    kind: 'bar' | 'line';
    role: string;
    dashed?: boolean;
    values: (number | null)[];
    /** Today's hour that still goes on. */
    open?: number;
  }[];
  format: (n: number) => string;
  axis: (n: number) => string;
}

/** Picture, words and table of the same numbers. T turns one into the other. */
export function Chart({ data, summary, label }: { data: ChartData; summary: string; label: string }) {
  const { t } = useTranslation();
  const [table, setTable] = useState(false);
  useShortcut('KeyT', () => setTable((v) => !v));
  return (
    <div>
      <p className="hidden-text">{summary}</p>
      {table ? (
        <div className="tbl" style={{ maxHeight: 264 }} tabIndex={0} role="region" aria-label={label}>
          <table>
            <thead>
              <tr>
                <th scope="col">{data.categoryName}</th>
                {data.series.map((s) => (
                  <th scope="col" className="r" key={s.name}>{s.name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data.categories.map((c, i) => (
                <tr key={c}>
                  <td style={{ height: 32 }}>{c}</td>
                  {data.series.map((s) => (
                    <td className="r" key={s.name}>{s.values[i] == null ? '–' : data.format(s.values[i])}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <div className="chart" aria-hidden="true">
          <Suspense fallback={null}>
            <Canvas data={data} />
          </Suspense>
        </div>
      )}
      <button type="button" className="textlink t12 m" style={{ display: 'block', marginLeft: 'auto', marginTop: 4 }} onClick={() => setTable(!table)}>
        {table ? t('chart.asPicture') : t('chart.asTable')} <kbd>T</kbd>
      </button>
    </div>
  );
}
