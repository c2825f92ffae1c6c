/**
 * Runs before anything is painted: a theme that follows the system, and the zone in which times are to be read, which only
 * the browser knows. Pages work without it, in the light theme and in UTC.
 */
;(() => {
  const root = document.documentElement
  if (root.dataset.theme === "auto") {
    const dark = window.matchMedia("(prefers-color-scheme: dark)")
    const follow = () => root.setAttribute("data-bs-theme", dark.matches ? "dark" : "light")
    dark.addEventListener("change", follow)
    follow()
  }
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  if (zone && !document.cookie.includes(`realms_zone=${encodeURIComponent(zone)}`)) {
    const secure = location.protocol === "https:" ? "; secure" : ""
    document.cookie = `realms_zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax${secure}`
    // A browser that keeps no cookie is not asked again and again.
    const isKept = document.cookie.includes(`realms_zone=${encodeURIComponent(zone)}`)
    if (isKept && root.dataset.zone !== undefined && root.dataset.zone !== zone) root.dataset.zoneSaid = "now"
  }
})()
