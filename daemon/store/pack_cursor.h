// The way through packs of finished jobs, from the newest id on. Of a window it merges the runs, of which it
// holds a pack each; so what a step costs depends on how many checkpoints saw jobs of that window end, and
// not on how many jobs there are. Belongs to one thread, as the iterator that it uses does. Private to
// daemon/store.
#pragma once

#include <string>
#include <vector>

#include "daemon/store/done_pack.h"
#include "daemon/store/store_error.h"

namespace rocksdb {
class Iterator;
class Slice;
}  // namespace rocksdb

namespace pqd {

class PackCursor {
 public:
  enum class Of : uint8_t { kRows, kIds };

  // Stands at the newest id below `below` of the packs behind the prefix. `at` goes over their family, and is
  // used by nobody else between two calls.
  PackCursor(rocksdb::Iterator& at, ByteView prefix, Of of, const JobId& below);
  // The row of this one; nothing when it is in no pack.
  static StoreResult<std::optional<Bytes>> find(rocksdb::Iterator& at, const JobId& id);

  // Not behind the last one, nor behind an error.
  bool valid() const { return !places_.empty() && !error_; }
  const JobId& id() const { return places_.front().pack.ids[places_.front().left - 1]; }
  // Until the next step.
  ByteView row() const { return places_.front().pack.rows[places_.front().left - 1]; }
  void next();
  StoreResult<void> status() const;

 private:
  // In a run: the pack, and how many of its ids are still to come.
  struct Place {
    DonePackKey key;
    Bytes bytes;
    DonePack pack;
    size_t left = 0;
    friend bool operator<(const Place& a, const Place& b) {
      return a.pack.ids[a.left - 1] < b.pack.ids[b.left - 1];
    }
  };

  PackCursor(rocksdb::Iterator& at, ByteView prefix, Of of) : at_(at), prefix_(prefix), of_(of) {}
  void enter(uint64_t window);
  void open_window(const JobId& below);
  void step();
  std::optional<Place> load(const DoneRun& run, const JobId& below);
  std::optional<DonePackKey> key_here();
  void fail(StoreError error);

  rocksdb::Iterator& at_;
  const ByteView prefix_;
  const Of of_;
  uint64_t window_ = 0;
  std::vector<Place> places_;  // a heap, the newest on top
  std::optional<StoreError> error_;
};

}  // namespace pqd
