// Rows of live jobs, many in one value: RocksDB charges by the key, and most jobs stand in the store as they
// were born until they leave it together. A pack never changes. Whose row has changed, or who has ended,
// counts in it no more; its head says who does. Stored formats, see daemon/store/README.md. Private to
// daemon/store.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "core/bytes.h"
#include "core/job.h"
#include "daemon/store/block_piece.h"

namespace pqd {

// Whose rows a pack has, by their numbers' distances from its first one, and who of them counts.
class PackHead {
 public:
  static constexpr size_t kRowsMax = 64;
  static constexpr JobNo kDistanceMax = UINT16_MAX;

  // False, and nothing is done: it is full, or `distance` is too far or not beyond the last.
  bool add(JobNo distance);
  size_t size() const { return distances_.size(); }
  JobNo distance(size_t at) const { return distances_[at]; }
  bool counts(size_t at) const { return (counting_ >> at & 1) != 0; }
  size_t count() const;
  // Where the one with this distance is, if it counts.
  std::optional<size_t> find(JobNo distance) const;
  bool has(JobNo distance) const { return std::ranges::binary_search(distances_, distance); }
  void strike(size_t at) { counting_ &= ~(uint64_t{1} << at); }
  // Where the records of all its rows are; nothing: the rows have them.
  std::optional<BlockPiece> piece;

  Bytes encode() const;
  static std::optional<PackHead> decode(ByteView bytes);

 private:
  std::vector<uint16_t> distances_;
  uint64_t counting_ = 0;
};

Bytes pack_rows(std::span<const std::pair<JobNo, Bytes>> rows);
// Nothing when the bytes are no pack of so many rows.
std::optional<std::vector<ByteView>> unpack_rows(ByteView bytes, size_t count);

// The heads of all packs, by the number of the first job in each.
class RowPacks {
 public:
  struct Place {
    JobNo pack = 0;
    size_t at = 0;
  };

  // Where the row of a job counts; nothing when it is in no pack.
  std::optional<Place> find(JobNo job) const;
  // Whether a pack of jobs from `first` on would stand behind all others.
  bool goes_behind(JobNo first) const;
  void add(JobNo first, PackHead head);
  void strike(const Place& place);
  void remove(JobNo pack);
  const PackHead& head(JobNo pack) const { return heads_.at(pack); }
  const std::map<JobNo, PackHead>& heads() const { return heads_; }
  // Of rows that count.
  uint64_t rows() const { return rows_; }

 private:
  std::map<JobNo, PackHead> heads_;
  uint64_t rows_ = 0;
};

}  // namespace pqd
