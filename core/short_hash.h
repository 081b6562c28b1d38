// The first 16 bytes of a SHA-256. Any thread.
#pragma once

#include <algorithm>

#include "core/event.h"
#include "core/sha256.h"

namespace pqd {

inline ShortHash short_hash(ByteView bytes) {
  unsigned char full[kSha256Bytes];
  sha256(bytes, full);
  ShortHash hash;
  std::copy_n(full, hash.size(), hash.begin());
  return hash;
}

}  // namespace pqd
