import { Modal } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { pageNames, usePages } from './Shell';

export default function ShortcutList({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const [names, pages] = [pageNames(t), usePages()];
  const groups: [string, [string, string][]][] = [
    [t('keys.everywhere'), [['Ctrl K', t('keys.palette')], ['/', t('keys.filter')], ['C', t('keys.create')], ['Z', t('keys.undo')], ['Esc', t('keys.back')], ['[', t('keys.fold')], ['?', t('keys.list')]]],
    [t('keys.lists'), [['J K', t('keys.move')], ['Enter', t('keys.enter')], ['Space', t('keys.space')], ['T', t('keys.table')], ['E', t('keys.edit')]]],
    [t('keys.go'), pages.map((p) => [`G ${p.key}`, names[p.id]])],
  ];
  return (
    <Modal opened onClose={close} title={t('keys.title')} size={560} closeButtonProps={{ 'aria-label': t('close') }}>
      <div className="col g16">
        {groups.map(([name, rows]) => (
          <section key={name}>
            <h3 className="m2">{name}</h3>
            <dl className="kv">
              {rows.map(([k, what]) => (
                <div key={k} style={{ display: 'contents' }}>
                  <dt>{what}</dt>
                  <dd><kbd>{k}</kbd></dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
}
