// What happens in the shop, as it happens: the whole of it for whoever may read events, else what becomes of goods.
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { seldom, Stream, told } from '../api/stream';
import { useMe } from '../session/session';

export function useStoreLive(): void {
  const client = useQueryClient();
  const { rights } = useMe();
  const whole = rights.includes('events:read');
  const part = rights.includes('stock:read');
  useEffect(() => {
    if (!whole && !part) return undefined;
    const stream = new Stream(whole ? '/api/v1/live?events=false' : '/api/v1/stock/stream');
    const fresh = seldom(() => void client.invalidateQueries({ predicate: (q) => q.queryKey[0] !== 'session' }), 1000);
    stream.on('reload', fresh.call);
    // A new order claims goods, and what is handed over leaves: the queue has changed.
    stream.on('stock', fresh.call);
    stream.onReturn(fresh.call);
    const unwatch = stream.watch(() => {
      const was = told.state;
      told.state = stream.state !== 'live' ? 'none' : whole ? 'whole' : 'part';
      if (was !== 'none' && told.state === 'none') fresh.call();
    });
    return () => {
      unwatch();
      fresh.stop();
      told.state = 'none';
      stream.close();
    };
  }, [client, whole, part]);
}
