import { BarChart, LineChart } from 'echarts/charts';
import { GridComponent, TooltipComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';
import type { ChartData } from './Chart';
import { useScheme } from './scheme';

echarts.use([BarChart, LineChart, GridComponent, TooltipComponent, SVGRenderer]);

const escape = (s: string) => s.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

export default function ChartCanvas({ data }: { data: ChartData }) {
  const box = useRef<HTMLDivElement>(null);
  const scheme = useScheme();
  useEffect(() => {
    const el = box.current;
    if (!el) return;
    // The roles are read when the scheme is set; a chart cannot follow a variable by itself.
    const style = getComputedStyle(document.documentElement);
    const role = (name: string) => style.getPropertyValue(`--${name}`).trim();
    const text = { fontFamily: role('font'), fontSize: 11, color: role('ink-3') };
    const chart = echarts.init(el, undefined, { renderer: 'svg' });
    chart.setOption({
      animation: false,
      textStyle: text,
      grid: { left: 4, right: 4, top: 16, bottom: 4, containLabel: true },
      xAxis: { type: 'category', data: data.categories, axisLine: { show: false }, axisTick: { show: false }, axisLabel: text },
      yAxis: { type: 'value', splitNumber: 3, axisLabel: { ...text, formatter: data.axis }, splitLine: { lineStyle: { color: role('grid') } } },
      tooltip: {
        trigger: 'axis',
        axisPointer: { type: 'line', lineStyle: { color: role('control') } },
        backgroundColor: role('surface'),
        borderColor: role('line'),
        padding: [8, 12],
        textStyle: { fontFamily: role('font'), fontSize: 13, color: role('ink') },
        formatter: (items: unknown) => {
          const list = items as { name: string; seriesName: string; value: number | null; seriesIndex: number }[];
          const seen = new Set<number>();
          const rows = list
            .filter((i) => i.value != null && !seen.has(i.seriesIndex) && seen.add(i.seriesIndex))
            .map((i) => `<div style="display:flex;gap:24px;justify-content:space-between"><span style="color:${role('ink-2')}">${escape(i.seriesName)}</span><b style="font-weight:470">${escape(data.format(i.value!))}</b></div>`)
            .join('');
          return `<div style="color:${role('ink-3')};font-size:12px">${escape(list[0]?.name ?? '')}</div>${rows}`;
        },
      },
      series: data.series.map((s) => ({
        name: s.name,
        type: s.kind,
        barMaxWidth: 26,
        symbol: 'none',
        data: s.values.map((v, i) =>
          s.open === i && s.kind === 'bar'
            ? { value: v, itemStyle: { opacity: 0.45, borderColor: role(s.role), borderType: 'dashed', borderWidth: 1 } }
            : v,
        ),
        itemStyle: { color: role(s.role), borderRadius: s.kind === 'bar' ? [2, 2, 0, 0] : 0 },
        lineStyle: { color: role(s.role), width: 1.5, type: s.dashed ? 'dashed' : 'solid' },
        emphasis: { disabled: true },
      })),
    });
    const resize = new ResizeObserver(() => chart.resize());
    resize.observe(el);
    return () => {
      resize.disconnect();
      chart.dispose();
    };
  }, [data, scheme]);
  return <div ref={box} style={{ width: '100%', height: '100%' }} />;
}
