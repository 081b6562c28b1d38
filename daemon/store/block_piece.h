// Where a piece of a commit's block stands, see core/commit.h. Rows of jobs that a checkpoint meets as they
// were born point into it and keep it. Stored format: the first piece has the commit's number for a key, the
// others have the place behind it where they begin. Private to daemon/store.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <optional>

#include "daemon/store/keys.h"

namespace pqd {

struct BlockPiece {
  uint64_t commit = 0;
  uint32_t offset = 0;

  friend auto operator<=>(const BlockPiece&, const BlockPiece&) = default;
};

class BlockPieceKey {
 public:
  explicit BlockPieceKey(const BlockPiece& piece) : size_(piece.offset == 0 ? kFirstBytes : kBytes) {
    keys::put_big(piece.commit, bytes_.data());
    keys::put_big32(piece.offset, bytes_.data() + kFirstBytes);
  }
  ByteView bytes() const { return ByteView(bytes_).first(size_); }

  // Nothing when the bytes are no such key.
  static std::optional<BlockPiece> read(ByteView key) {
    if (key.size() == kFirstBytes) return BlockPiece{keys::get_big(key.data()), 0};
    if (key.size() != kBytes) return std::nullopt;
    const BlockPiece piece{keys::get_big(key.data()), keys::get_big32(key.data() + kFirstBytes)};
    return piece.offset != 0 ? std::optional(piece) : std::nullopt;
  }

 private:
  static constexpr size_t kFirstBytes = 8;
  static constexpr size_t kBytes = 12;

  std::array<std::byte, kBytes> bytes_{};
  size_t size_;
};

}  // namespace pqd
