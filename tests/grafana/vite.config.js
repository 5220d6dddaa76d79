import react from '@vitejs/plugin-react';

export default {
  plugins: [react()],
  cacheDir: '../../target/grafana/vite',
  resolve: { alias: { 'react-custom-scrollbars-2': new URL('src/scrollbars.jsx', import.meta.url).pathname } },
  define: { 'process.env': {} },
  server: { hmr: false },
  optimizeDeps: { include: ['@grafana/data', '@grafana/ui', 'react', 'react-dom/client'] },
};
