// The first 16 bytes of a SHA-256, by libcrypto with the CPU's instructions. Any thread.
#pragma once

#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>

#include "core/event.h"

namespace pqd {

inline ShortHash short_hash(ByteView bytes) {
  unsigned char full[32];
  if (EVP_Digest(bytes.data(), bytes.size(), full, nullptr, EVP_sha256(), nullptr) != 1) std::abort();
  ShortHash hash;
  std::copy_n(full, hash.size(), hash.begin());
  return hash;
}

}  // namespace pqd
