// The checksum that RocksDB is given in the place of its own.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/daemon/store/found_first.h"

namespace rocksdb::crc32c {
uint32_t Extend(uint32_t before, const char* data, size_t bytes);
}

namespace pqd::test {
namespace {

uint32_t crc32c(const std::string& bytes) { return rocksdb::crc32c::Extend(0, bytes.data(), bytes.size()); }

// Bit by bit, with the reversed polynomial of RFC 3385.
uint32_t by_the_book(const std::string& bytes) {
  uint32_t sum = 0xFFFFFFFF;
  for (const char c : bytes) {
    sum ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ (0x82F63B78 & -(sum & 1));
  }
  return ~sum;
}

TEST(RocksdbCrc32cTest, IsThatOfTheExamplesInRfc3720) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  std::string rising;
  for (char c = 0; c < 32; ++c) rising += c;
  EXPECT_EQ(crc32c(rising), 0x46DD794Eu);
}

TEST(RocksdbCrc32cTest, IsThatOfTheBookAtEveryLengthAndAlignment) {
  std::mt19937 random(7);
  std::string bytes(600, 0);
  for (char& c : bytes) c = static_cast<char>(random());
  for (size_t length = 0; length < 520; ++length) {
    const std::string part = bytes.substr(length % 17, length);
    ASSERT_EQ(crc32c(part), by_the_book(part)) << length;
  }
}

TEST(RocksdbCrc32cTest, GoesOnWhereItStopped) {
  const std::string whole = "the records of a log, one behind the other";
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    const uint32_t before = crc32c(whole.substr(0, cut));
    ASSERT_EQ(rocksdb::crc32c::Extend(before, whole.data() + cut, whole.size() - cut), crc32c(whole)) << cut;
  }
}

TEST(RocksdbCrc32cTest, IsFoundBeforeRocksdbsOwn) {
  const std::string library = library_of("_ZN7rocksdb6crc32c6ExtendEjPKcm");
  EXPECT_NE(library, "");
  EXPECT_EQ(library.find("librocksdb"), std::string::npos) << library;
}

}  // namespace
}  // namespace pqd::test
