import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/',
  plugins: [react()],
  build: {
    outDir: 'dist',
    // The console, and the store app beside it.
    rollupOptions: { input: ['index.html', 'store.html'] },
    manifest: true,
    target: 'es2022',
    // Fonts and icons must be files of our own origin: the page's policy allows data: for images only.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
  },
  server: { proxy: { '/api': process.env.BRAID_URL ?? 'http://127.0.0.1:8080' } },
});
