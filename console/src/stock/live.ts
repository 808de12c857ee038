// What moves while a page is open: the server says which SKUs can be had more or less of.
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { Stream } from '../api/stream';
import { GOODS, type Stock } from './query';

export interface Moved {
  sku: string;
  /** By the channel's id. */
  channels: Record<string, number>;
  as_of: string;
}

/** Patches what each channel can promise at once, and reads the rest of an SKU anew. Opens one stream for the page. */
export function useStockLive(moved?: (m: Moved) => void): void {
  const client = useQueryClient();
  const ref = useRef(moved);
  ref.current = moved;
  useEffect(() => {
    const stream = new Stream('/api/v1/stock/stream');
    const all = () => void client.invalidateQueries({ queryKey: GOODS });
    stream.on<Moved>('stock', (m) => {
      const key = [...GOODS, 'sku', m.sku];
      client.setQueryData<Stock>(key, (old) => old && { ...old, as_of: m.as_of, channels: old.channels.map((c) => ({ ...c, available: m.channels[c.channel] ?? c.available })) });
      void client.invalidateQueries({ queryKey: key });
      for (const of of ['movements', 'waiting', 'lots', 'supply', 'cost']) void client.invalidateQueries({ queryKey: [...GOODS, of, m.sku] });
      ref.current?.(m);
    });
    stream.on('reload', all);
    stream.onReturn(all);
    return () => stream.close();
  }, [client]);
}
