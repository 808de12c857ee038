// Reads a code with the camera, where the browser can; elsewhere scanners and fingers do.
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { IconCamera, IconX } from '../ui/icons';

interface Detector { detect: (of: HTMLVideoElement) => Promise<{ rawValue: string }[]> }
type DetectorClass = new (o: { formats: string[] }) => Detector;
const detector = (): DetectorClass | undefined => (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
export const canSee = (): boolean => Boolean(detector() && navigator.mediaDevices?.getUserMedia);

export function CameraButton({ found, label }: { found: (text: string) => void; label: string }) {
  const [on, setOn] = useState(false);
  if (!canSee()) return null;
  return (
    <>
      <button type="button" className="sbtn" onClick={() => setOn(true)} data-testid="camera"><IconCamera />{label}</button>
      {on && <View close={() => setOn(false)} found={(text) => { setOn(false); found(text); }} />}
    </>
  );
}

function View({ close, found }: { close: () => void; found: (text: string) => void }) {
  const { t } = useTranslation();
  const video = useRef<HTMLVideoElement>(null);
  const told = useRef(found);
  told.current = found;
  const [wrong, setWrong] = useState(false);
  useEffect(() => {
    let stream: MediaStream | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const look = async (d: Detector) => {
      if (over || !video.current) return;
      const codes = await d.detect(video.current).catch(() => []);
      const text = codes[0]?.rawValue.trim();
      if (text && !over) return told.current(text);
      timer = setTimeout(() => void look(d), 150);
    };
    void navigator.mediaDevices
      .getUserMedia({ video: { facingMode: 'environment' } })
      .then(async (s) => {
        stream = s;
        if (over || !video.current) return s.getTracks().forEach((x) => x.stop());
        video.current.srcObject = s;
        await video.current.play();
        await look(new (detector()!)({ formats: ['qr_code', 'ean_13', 'ean_8', 'code_128'] }));
      })
      .catch(() => setWrong(true));
    return () => {
      over = true;
      clearTimeout(timer);
      stream?.getTracks().forEach((x) => x.stop());
    };
  }, []);
  return (
    <div className="camera" role="dialog" aria-label={t('store.camera')} aria-modal="true">
      <button type="button" className="sbtn" onClick={close} autoFocus><IconX />{t('close')}</button>
      {wrong ? <p role="alert">{t('store.noCamera')}</p> : <video ref={video} muted playsInline aria-label={t('store.cameraShows')} />}
    </div>
  );
}
