/**
 * A certificate for this machine that nobody trusts but tests that say so. Its key is here for all to read: it protects nothing.
 */
import { Effect } from "effect"
import { getCACertificates, setDefaultCACertificates } from "node:tls"

export const testKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgKyp2gDG3dkHFesZX
YcJoPc6wWcQ5zmwk0y2su2IkTFuhRANCAAT0o4tLaED2S9PlyXexiGOSJf79hyQq
f/td+LrXuxOp3j4JG3yu7KkqCPZ5tINy+qRT/ZE2g729BQBIKickwxke
-----END PRIVATE KEY-----
`

export const testCertificate = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUUhI9c99p1TLbrcH2SR1Yi/nMg90wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEzMDEwMzc1OVoYDzIxMjYxMTA2
MTAzNzU5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAT0o4tLaED2S9PlyXexiGOSJf79hyQqf/td+LrXuxOp3j4JG3yu7Kkq
CPZ5tINy+qRT/ZE2g729BQBIKickwxkeo28wbTAdBgNVHQ4EFgQUAoatYmhaEOl8
LtekEf+V44a/dWMwHwYDVR0jBBgwFoAUAoatYmhaEOl8LtekEf+V44a/dWMwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhAKhzJ1+toZceXWBp/nVpwHvVpRF6KMPulvpYmJaD4LWRAiAX
Q3+MlZiKpjT2hgdsHLoEJiCb1bYZNYZFNCrn7lX8cw==
-----END CERTIFICATE-----
`

/** As long as the scope, this process trusts {@link testCertificate}. */
export const trustTestCertificate = Effect.acquireRelease(
  Effect.sync(() => {
    const before = getCACertificates("default")
    setDefaultCACertificates([...before, testCertificate])
    return before
  }),
  (before) => Effect.sync(() => setDefaultCACertificates(before))
)
