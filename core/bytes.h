// Reading and writing the project's byte formats: little-endian fixed fields and LEB128 variable-length
// integers. A reader that runs past its end turns `failed()` and yields zeros from then on, so that a decoder
// checks once.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace pqd {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

inline ByteView as_bytes(std::string_view text) {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Small whatever the sign: 0, -1, 1, -2 as 0, 1, 2, 3.
constexpr uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}

class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(out) {}

  // In all of `out`.
  size_t position() const { return out_.size(); }

  // Byte by byte: most are one or two, and a range's insert() costs more than all of them.
  void varint(uint64_t value) {
    while (value >= 0x80) {
      out_.push_back(static_cast<std::byte>(value | 0x80));
      value >>= 7;
    }
    out_.push_back(static_cast<std::byte>(value));
  }
  // For values that may be negative.
  void signed_varint(int64_t value) { varint(zigzag(value)); }
  template <class Pod>
  void pod(const Pod& value) {
    // No padding: whatever memory held before would be stored, sent and hashed with the value.
    static_assert(std::has_unique_object_representations_v<Pod> || std::is_floating_point_v<Pod>);
    if constexpr (sizeof(Pod) == 1)
      out_.push_back(std::bit_cast<std::byte>(value));
    else
      raw_bytes(std::as_bytes(std::span(&value, 1)));
  }
  void raw_bytes(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void text(std::string_view value) {
    varint(value.size());
    raw_bytes(as_bytes(value));
  }
  void blob(ByteView value) {
    varint(value.size());
    raw_bytes(value);
  }

 private:
  Bytes& out_;
};

class ByteReader {
 public:
  explicit ByteReader(ByteView in) : in_(in) {}

  bool failed() const { return failed_; }
  size_t position() const { return at_; }
  size_t remaining() const { return in_.size() - at_; }

  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ >= in_.size()) return fail();
      const auto byte = static_cast<uint64_t>(in_[at_++]);
      value |= (byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return fail();
  }
  int64_t signed_varint() {
    const uint64_t raw = varint();
    return static_cast<int64_t>(raw >> 1) ^ -static_cast<int64_t>(raw & 1);
  }
  template <class Pod>
  Pod pod() {
    Pod value{};
    const ByteView bytes = raw_bytes(sizeof(Pod));
    if (!failed_) std::memcpy(&value, bytes.data(), sizeof(Pod));
    return value;
  }
  ByteView raw_bytes(uint64_t count) {
    if (failed_ || count > remaining()) {
      fail();
      return {};
    }
    const ByteView bytes = in_.subspan(at_, static_cast<size_t>(count));
    at_ += bytes.size();
    return bytes;
  }
  ByteView blob() { return raw_bytes(varint()); }
  std::string_view text() { return as_text(blob()); }

 private:
  uint64_t fail() {
    failed_ = true;
    at_ = in_.size();
    return 0;
  }

  ByteView in_;
  size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace pqd
