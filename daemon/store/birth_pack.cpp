#include "daemon/store/birth_pack.h"

#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "core/job_row.h"

namespace pqd {
namespace {

constexpr uint8_t kVersion = 2;  // 1: rows by themselves, row_pack.cpp
constexpr size_t kWordBytes = 8;
// Of a row that differs from the one before by words; a longer one stands there whole.
constexpr size_t kWordsMax = 254;
constexpr uint8_t kWhole = 255;

size_t words_of(size_t bytes) { return (bytes + kWordBytes - 1) / kWordBytes; }

uint64_t whole_word(const std::byte* at) {
  uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}
// The last one may be cut off.
uint64_t last_word(ByteView row, size_t at) {
  uint64_t value = 0;
  std::memcpy(&value, row.data() + at, row.size() - at);
  return value;
}

// How many words differ; then of each its number, which of its bytes do, and these.
void write_difference(ByteView row, ByteView before, Bytes& bytes) {
  const size_t words = words_of(row.size());
  if (row.size() != before.size() || words > kWordsMax) {
    ByteWriter out(bytes);
    out.pod(kWhole);
    return out.blob(row);
  }
  std::array<std::byte, 1 + kWordsMax*(2 + kWordBytes)> changes;
  std::byte* end = changes.data() + 1;
  uint8_t count = 0;
  const auto compare = [&](size_t word, uint64_t now, uint64_t was) {
    if (now == was) return;
    ++count;
    *end++ = static_cast<std::byte>(word);
    std::byte* const mask_at = end++;
    unsigned mask = 0;
    uint64_t other = now ^ was;
    for (unsigned byte = 0; other != 0; ++byte, other >>= 8, now >>= 8) {
      if ((other & 0xFF) == 0) continue;
      mask |= 1u << byte;
      *end++ = static_cast<std::byte>(now);
    }
    *mask_at = static_cast<std::byte>(mask);
  };
  const size_t whole = row.size() / kWordBytes;
  for (size_t word = 0; word < whole; ++word)
    compare(word, whole_word(row.data() + word * kWordBytes), whole_word(before.data() + word * kWordBytes));
  if (whole < words)
    compare(whole, last_word(row, whole * kWordBytes), last_word(before, whole * kWordBytes));
  changes[0] = static_cast<std::byte>(count);
  bytes.insert(bytes.end(), changes.data(), end);
}

// Makes the row before into the next one; false when the bytes say nothing that can be.
bool read_difference(ByteReader& in, Bytes& row) {
  const auto count = in.pod<uint8_t>();
  if (count == kWhole) {
    const ByteView whole = in.blob();
    row.assign(whole.begin(), whole.end());
    return !in.failed();
  }
  for (size_t i = 0; i < count; ++i) {
    const auto word = in.pod<uint8_t>();
    const auto mask = in.pod<uint8_t>();
    for (size_t byte = 0; byte < kWordBytes; ++byte) {
      if ((mask >> byte & 1) == 0) continue;
      const auto value = in.pod<std::byte>();
      const size_t at = word * kWordBytes + byte;
      if (in.failed() || at >= row.size()) return false;
      row[at] = value;
    }
  }
  return !in.failed();
}

bool skip_difference(ByteReader& in) {
  const auto count = in.pod<uint8_t>();
  if (count == kWhole) {
    in.blob();
    return !in.failed();
  }
  for (size_t i = 0; i < count; ++i) {
    in.pod<uint8_t>();
    in.raw_bytes(static_cast<uint64_t>(std::popcount(in.pod<uint8_t>())));
  }
  return !in.failed();
}

// Where the records stand in a piece of so many bytes, one after the other.
class RecordPlaces {
 public:
  explicit RecordPlaces(size_t bytes) : bytes_(bytes) {}
  std::optional<BlobRef> next(ByteReader& in) {
    const uint64_t gap = in.varint();
    const uint64_t bytes = in.varint();
    if (in.failed() || gap > bytes_ - end_ || bytes > bytes_ - end_ - gap) return std::nullopt;
    const BlobRef record{static_cast<uint32_t>(end_ + gap), static_cast<uint32_t>(bytes)};
    end_ += gap + bytes;
    return record;
  }

 private:
  uint64_t bytes_;
  uint64_t end_ = 0;
};

std::optional<LaidRows> lay_births(ByteView packed, size_t count, ByteView piece) {
  ByteReader in(packed);
  if (in.pod<uint8_t>() != kVersion) return std::nullopt;
  LaidRows laid;
  std::vector<size_t> ends;
  ends.reserve(count);
  laid.bytes.reserve(count * sizeof(JobCore) + piece.size() + count * 16);
  Bytes row;
  RecordPlaces places(piece.size());
  for (size_t i = 0; i < count; ++i) {
    const auto at = places.next(in);
    if (!at || !read_difference(in, row)) return std::nullopt;
    if (!append_row(row, piece.subspan(at->offset, at->bytes), laid.bytes)) return std::nullopt;
    ends.push_back(laid.bytes.size());
  }
  if (in.remaining() != 0) return std::nullopt;
  laid.rows.reserve(count);
  size_t from = 0;
  for (const size_t to : ends) {
    laid.rows.push_back(ByteView(laid.bytes).subspan(from, to - from));
    from = to;
  }
  return laid;
}

}  // namespace

Bytes pack_births(std::span<const Birth> births, const BlockPiece& piece) {
  Bytes bytes;
  bytes.reserve(births.size() * 48 + 256);
  ByteWriter out(bytes);
  out.pod(kVersion);
  uint32_t end = piece.offset;
  JobRow scratch_row;
  std::array<Bytes, 2> scratch;  // of this row and of the one before
  ByteView before;
  for (const Birth& birth : births) {
    out.varint(birth.record.offset - end);
    out.varint(birth.record.bytes);
    end = birth.record.offset + birth.record.bytes;
    const ByteView row = birth.row_in(scratch_row, scratch[0]);
    write_difference(row, before, bytes);
    before = row;
    std::swap(scratch[0], scratch[1]);
  }
  return bytes;
}

std::optional<LaidRows> lay_rows(const PackHead& head, ByteView packed, ByteView piece) {
  if (head.piece) return lay_births(packed, head.size(), piece);
  LaidRows laid{.bytes = Bytes(packed.begin(), packed.end()), .rows = {}};
  auto rows = unpack_rows(laid.bytes, head.size());
  if (!rows) return std::nullopt;
  laid.rows = std::move(*rows);
  return laid;
}

bool lay_records(JobNo first, const PackHead& head, ByteView packed, ByteView piece, RecordsRead& read) {
  read.bytes.reserve(read.bytes.size() + (head.piece ? piece : packed).size());
  if (head.piece) {
    ByteReader in(packed);
    if (in.pod<uint8_t>() != kVersion) return false;
    RecordPlaces places(piece.size());
    for (size_t i = 0; i < head.size(); ++i) {
      const auto record = places.next(in);
      if (!record || !skip_difference(in)) return false;
      read.add(first + head.distance(i), piece.subspan(record->offset, record->bytes));
    }
    return in.remaining() == 0;
  }
  const auto rows = unpack_rows(packed, head.size());
  for (size_t i = 0; rows && i < head.size(); ++i) {
    const auto row = decode_row((*rows)[i]);
    if (!row && head.counts(i)) return false;
    if (row) read.add(first + head.distance(i), row->record);
  }
  return rows.has_value();
}

}  // namespace pqd
