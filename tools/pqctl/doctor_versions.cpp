// What this release is made of. The libraries' versions are those it was built with, given by CMake.
#include "shm/abi.h"
#include "tools/pqctl/doctor.h"

namespace pqd::ctl {

Finding check_versions() {
  return {"versions", Verdict::kOk,
          "pqctl " PQD_VERSION ", libpqd ABI " + std::to_string(kAbiVersion) +
              "; built with RocksDB " PQD_ROCKSDB_VERSION ", liburing " PQD_LIBURING_VERSION
              ", spdlog " PQD_SPDLOG_VERSION ", Boost " PQD_BOOST_VERSION ", OpenSSL " PQD_OPENSSL_VERSION};
}

}  // namespace pqd::ctl
