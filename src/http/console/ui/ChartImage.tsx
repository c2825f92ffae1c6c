/**
 * A chart as a picture: for wide and narrow screens, light and dark, of which a browser loads the one it shows. The same
 * figures stand in a table below, for those who read rather than look.
 */
import type { ComponentChildren } from "preact"

const Picture = (
  { alt, hiddenIn, src, theme, width }: {
    readonly src: string
    readonly width: number
    readonly theme: "light" | "dark"
    readonly hiddenIn: "light" | "dark"
    readonly alt: string
  }
) => {
  const at = (size: string) => `${src}${src.includes("?") ? "&" : "?"}theme=${theme}&size=${size}`
  return (
    <picture class={`hide-theme-${hiddenIn}`}>
      <source media="(max-width: 600px)" srcset={at("narrow")} />
      <img class="chart" src={at("wide")} alt={alt} loading="lazy" width={width} height="240" />
    </picture>
  )
}

export const ChartImage = (
  { children, src, summary, title, width }: {
    /** Of the wide one, in pixels. */
    readonly width: number
    /** Without theme and size. */
    readonly src: string
    readonly title: string
    /** What opens the table. */
    readonly summary: string
    readonly children: ComponentChildren
  }
) => (
  <>
    <div class="card-body">
      <Picture src={src} theme="light" hiddenIn="dark" alt={title} width={width} />
      <Picture src={src} theme="dark" hiddenIn="light" alt={title} width={width} />
    </div>
    <details class="chart-table">
      <summary>{summary}</summary>
      {children}
    </details>
  </>
)
