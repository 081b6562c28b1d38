#include "daemon/store/done_walk.h"

#include "daemon/store/keys.h"
#include "daemon/store/rocksdb_bytes.h"

namespace pqd {

DoneWalk::DoneWalk(rocksdb::Iterator& singles, rocksdb::Iterator& packs, ByteView prefix, PackCursor::Of of,
                   const JobId& below)
    : singles_(singles), prefix_(prefix), packs_(packs, prefix, of, below) {
  std::string bound(as_text(prefix));
  bound.append(as_text(keys::of(below)));
  singles_.SeekForPrev(bound);
  if (singles_.Valid() && singles_.key() == bound) singles_.Prev();
  find_single();
}

ByteView DoneWalk::row() const { return is_single() ? view(singles_.value()) : packs_.row(); }

void DoneWalk::next() {
  if (!is_single()) return packs_.next();
  if (packs_.valid() && packs_.id() == *single_) packs_.next();
  singles_.Prev();
  find_single();
}

StoreResult<void> DoneWalk::status() const {
  if (!singles_.status().ok()) return failure("cannot read the finished jobs", singles_.status());
  return packs_.status();
}

// A key that is none stands for no id.
void DoneWalk::find_single() {
  single_.reset();
  if (!packs_.status() || !singles_.Valid() || !starts_with(singles_.key(), prefix_)) return;
  single_ = keys::id(view(singles_.key()).subspan(prefix_.size())).value_or(JobId{});
}

}  // namespace pqd
