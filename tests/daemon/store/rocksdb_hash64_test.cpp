// The hash that RocksDB is given in the place of its own.
#include <gtest/gtest.h>

#include <bit>
#include <random>
#include <set>
#include <string>

#include "daemon/store/rocksdb_include.h"
#include "tests/daemon/store/found_first.h"

namespace rocksdb {
uint64_t Hash64(const char* data, size_t bytes, uint64_t seed);
uint64_t Hash64(const char* data, size_t bytes);
}  // namespace rocksdb

namespace pqd::test {
namespace {

std::string random_bytes(size_t count) {
  std::mt19937_64 random(7);
  std::string bytes(count, 0);
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

uint64_t hash(const std::string& bytes, uint64_t seed = 0) {
  return rocksdb::Hash64(bytes.data(), bytes.size(), seed);
}

// RocksDB's function without a seed is its own everywhere; tables keep what it says of keys.
TEST(RocksdbHash64Test, IsRocksdbsOwnForShortBytes) {
  const std::string bytes = random_bytes(1024);
  for (size_t length = 0; length < 1024; ++length) {
    const std::string part = bytes.substr(0, length);
    ASSERT_EQ(hash(part), rocksdb::Hash64(part.data(), part.size())) << length;
  }
}

TEST(RocksdbHash64Test, ChangesWithEveryBitAndWithTheSeed) {
  for (const size_t length : {1024u, 1025u, 4097u, 70'001u}) {
    std::string bytes = random_bytes(length);
    const uint64_t plain = hash(bytes);
    std::set<uint64_t> seen{plain};
    EXPECT_TRUE(seen.insert(hash(bytes, 1)).second);
    for (size_t bit = 0; bit < 8 * length; bit += 8 * length / 700 + 1) {
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
      const uint64_t changed = hash(bytes);
      EXPECT_TRUE(seen.insert(changed).second) << length << " bytes, bit " << bit;
      const int differ = std::popcount(changed ^ plain);
      EXPECT_TRUE(differ > 8 && differ < 56) << length << " bytes, bit " << bit << ": " << differ;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    }
  }
}

TEST(RocksdbHash64Test, IsFoundBeforeRocksdbsOwn) {
  const std::string library = library_of("_ZN7rocksdb6Hash64EPKcmm");
  EXPECT_NE(library, "");
  EXPECT_EQ(library.find("librocksdb"), std::string::npos) << library;
}

}  // namespace
}  // namespace pqd::test
