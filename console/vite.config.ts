import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  // Relative, so that the same files work under every path prefix.
  base: "./",
  plugins: [react(), tailwindcss()],
  build: {
    // As old as the browsers may be that know `light-dark()` and `<dialog>` well.
    target: ["chrome123", "firefox122", "safari17.5"],
    // The content security policy lets no inline source in.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: false,
    reportCompressedSize: false,
  },
});
