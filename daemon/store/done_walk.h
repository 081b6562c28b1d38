// Finished jobs from the newest on, each once: those that stand by themselves and those in packs. Of one that
// is in both the row by itself counts. Belongs to one thread. Private to daemon/store.
#pragma once

#include "daemon/store/pack_cursor.h"

namespace pqd {

class DoneWalk {
 public:
  // Over two families whose keys begin with the prefix; begins with the newest id below `below`. Nobody else
  // uses the iterators between two calls.
  DoneWalk(rocksdb::Iterator& singles, rocksdb::Iterator& packs, ByteView prefix, PackCursor::Of of,
           const JobId& below);

  bool valid() const { return single_ || packs_.valid(); }
  const JobId& id() const { return is_single() ? *single_ : packs_.id(); }
  // Until the next step; for packs of rows.
  ByteView row() const;
  void next();
  // An error is the end of the way.
  StoreResult<void> status() const;

 private:
  bool is_single() const { return single_ && (!packs_.valid() || *single_ >= packs_.id()); }
  void find_single();

  rocksdb::Iterator& singles_;
  const ByteView prefix_;
  std::optional<JobId> single_;
  PackCursor packs_;
};

}  // namespace pqd
