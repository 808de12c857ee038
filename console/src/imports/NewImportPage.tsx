// Decision served: is this file what I think it is, and may it go in?
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, must } from '../api/client';
import { useRight } from '../session/rights';
import { ErrorNote, Locked, PageHeader, Panel, Skeleton } from '../ui/base';
import * as f from '../ui/format';
import { IconUpload } from '../ui/icons';
import { useTitle } from '../ui/Shell';
import { Mapper } from './Mapper';
import { bring, type Upload } from './upload';

const route = getRouteApi('/imports/new');

export default function NewImportPage() {
  const { t } = useTranslation();
  useTitle(t('imports.new'));
  const { upload } = route.useSearch();
  const navigate = useNavigate({ from: '/imports/new' });
  const may = useRight('imports:write');
  return (
    <div className="page">
      <PageHeader title={t('imports.new')} actions={upload && <Button variant="subtle" onClick={() => void navigate({ search: {} })}>{t('imports.another')}</Button>} />
      {!may ? <Locked title={t('locked.right')}>{t('locked.askOwner')}</Locked> : upload ? <Looked key={upload} id={upload} /> : <Drop done={(u) => void navigate({ search: { upload: u.id } })} />}
    </div>
  );
}

function Drop({ done }: { done: (u: Upload) => void }) {
  const { t } = useTranslation();
  const input = useRef<HTMLInputElement>(null);
  const brake = useRef<AbortController>(null);
  const [over, setOver] = useState(false);
  const [file, setFile] = useState<File | null>(null);
  const [at, setAt] = useState<Upload | null>(null);
  const [running, setRunning] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const start = async (chosen: File) => {
    setFile(chosen);
    setError(null);
    setRunning(true);
    const control = new AbortController();
    brake.current = control;
    try {
      done(await bring(chosen, setAt, control.signal));
    } catch (e) {
      if (!control.signal.aborted) setError(e);
    } finally {
      setRunning(false);
    }
  };
  const size = (n: number) => t('imports.mb', { n: f.number(Math.round((n / 1048576) * 10) / 10) });
  return (
    <>
      <section
        className={`card dropzone${over ? ' over' : ''}`}
        aria-label={t('imports.drop')}
        onDragOver={(e) => { e.preventDefault(); setOver(true); }}
        onDragLeave={() => setOver(false)}
        onDrop={(e) => {
          e.preventDefault();
          setOver(false);
          const chosen = e.dataTransfer.files[0];
          if (chosen && !running) void start(chosen);
        }}
      >
        <IconUpload />
        {file ? (
          <>
            <h2 className="wrap">{file.name}</h2>
            <div className="bar" role="progressbar" aria-label={file.name} aria-valuemin={0} aria-valuemax={100} aria-valuenow={at ? Math.round((at.received / at.size) * 100) : 0}><i style={{ width: `${at ? (at.received / at.size) * 100 : 0}%` }} /></div>
            <p className="m2" aria-live="polite">{t('imports.brought', { done: size(at?.received ?? 0), all: size(file.size) })}</p>
            {error !== null && <ErrorNote error={error} retry={() => void start(file)} kept={t('imports.piecesKept')} />}
            <div className="form-actions">
              {running ? <Button variant="default" onClick={() => brake.current?.abort()}>{t('job.stop')}</Button> : error === null && <Button onClick={() => void start(file)}>{t('job.resume')}</Button>}
              {!running && <Button variant="subtle" onClick={() => { setFile(null); setAt(null); setError(null); }}>{t('imports.another')}</Button>}
            </div>
          </>
        ) : (
          <>
            <h2>{t('imports.drop')}</h2>
            <p className="m2">{t('imports.dropText')}</p>
            <Button onClick={() => input.current?.click()} data-testid="import-choose">{t('imports.choose')}</Button>
          </>
        )}
        <input
          ref={input}
          type="file"
          hidden
          accept=".csv,.tsv,.txt,.ndjson,.jsonl,.json,.gz,.parquet"
          data-testid="import-file"
          onChange={(e) => {
            const chosen = e.currentTarget.files?.[0];
            e.currentTarget.value = '';
            if (chosen) void start(chosen);
          }}
        />
      </section>
      <Panel title={t('imports.orderTitle')}>
        <ol className="body col g8 steps">
          <li><span className="b">{t('imports.order1')}</span> <span className="m2">{t('imports.order1Text')}</span></li>
          <li><span className="b">{t('imports.order2')}</span> <span className="m2">{t('imports.order2Text')}</span></li>
          <li><span className="b">{t('imports.order3')}</span> <span className="m2">{t('imports.order3Text')}</span></li>
        </ol>
      </Panel>
    </>
  );
}

function Looked({ id }: { id: string }) {
  const { t } = useTranslation();
  const [as, setAs] = useState<{ kind?: string; preset?: string }>({});
  const upload = useQuery({ queryKey: ['upload', id], queryFn: () => must(api.GET('/api/v1/uploads/{id}', { params: { path: { id } } })) });
  const look = useQuery({
    queryKey: ['look', id, as],
    queryFn: () => must(api.POST('/api/v1/imports/look', { body: { upload: id, ...as } })),
    staleTime: Infinity,
    placeholderData: (before) => before,
    retry: false,
  });
  if (look.error) return <ErrorNote error={look.error} retry={as.kind || as.preset ? () => setAs({}) : () => void look.refetch()} />;
  if (!look.data) return <Panel title={t('imports.looking')}><Skeleton rows={6} /></Panel>;
  return <Mapper key={look.dataUpdatedAt} upload={id} name={upload.data?.name ?? ''} looked={look.data} busy={look.isFetching} again={setAs} asked={as} />;
}
