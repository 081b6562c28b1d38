// The 64-bit hash of long bytes for RocksDB, by the CPU's widest registers. RocksDB hashes what is written
// four times on its way (protection bytes: when a batch is closed, before the log, when it is taken apart,
// and in the write buffer), and what goes into a table twice; Debian builds that for every amd64, 16 bytes at
// a time, and perf found 12 % of the engine's time for durable submits there. The dynamic linker finds this
// function first, as in rocksdb_crc32c.cpp.
//
// Long bytes are values, and hashes of values stay in memory; another function that mixes as well may make
// them. What a table keeps are hashes of keys, which are short: those are RocksDB's own.
#include <dlfcn.h>
#include <xxh_x86dispatch.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "daemon/store/rocksdb_include.h"

namespace rocksdb {

// As RocksDB declares it in util/hash.h.
__attribute__((visibility("default"))) uint64_t Hash64(const char* data, size_t bytes, uint64_t seed);

namespace {

constexpr size_t kLongBytes = 1024;

using Hash = uint64_t (*)(const char*, size_t, uint64_t);

// The one that stands behind this one, in the library that has the rest of RocksDB.
Hash find_rocksdbs_own() {
  Dl_info library{};
  void* here = nullptr;
  if (::dladdr(reinterpret_cast<void*>(&rocksdb::DestroyDB), &library) != 0)
    here = ::dlopen(library.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  void* const own = here == nullptr ? nullptr : ::dlsym(here, "_ZN7rocksdb6Hash64EPKcmm");
  if (own == nullptr || own == reinterpret_cast<void*>(&Hash64)) std::abort();
  return reinterpret_cast<Hash>(own);
}

}  // namespace

uint64_t Hash64(const char* data, size_t bytes, uint64_t seed) {
  static const Hash own = find_rocksdbs_own();
  return bytes < kLongBytes ? own(data, bytes, seed) : XXH3_64bits_withSeed_dispatch(data, bytes, seed);
}

}  // namespace rocksdb
