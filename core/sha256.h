// SHA-256 by libcrypto, which uses the CPU's instructions. Any thread.
#pragma once

#include <openssl/evp.h>

#include <cstdlib>

#include "core/bytes.h"

namespace pqd {

inline constexpr size_t kSha256Bytes = 32;

// Into `hash`, which has room for kSha256Bytes. The method is fetched once: EVP_sha256() has it looked up
// again for each hash, under a lock, which takes longer than hashing a small job does.
inline void sha256(ByteView bytes, unsigned char* hash) {
  static EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (method == nullptr || EVP_Digest(bytes.data(), bytes.size(), hash, nullptr, method, nullptr) != 1)
    std::abort();
}

}  // namespace pqd
