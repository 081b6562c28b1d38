// One commit under construction: the events' bytes, the block with the records they point to, and the effects
// that may leave the daemon once it is durable. Filled by the broker's thread; handed over whole when it is
// closed.
#pragma once

#include <memory>
#include <vector>

#include "core/block_pool.h"
#include "core/change.h"
#include "core/event_codec.h"
#include "core/journal_entry.h"

namespace pqd {

// A job on its way to a consumer. The record's block is kept by `record` until the delivery has been
// published.
struct DeliveryEffect {
  SessionNo session = 0;
  uint64_t number = 0;
  LeaseToken token;
  JobId id;
  TimeNs lease_until_ns = 0;
  uint32_t subscription = 0;
  uint32_t owner_uid = 0;
  uint16_t attempt = 0;
  uint16_t max_attempts = 0;
  uint64_t batch = 0;       // that it is delivered with; 0 = none
  bool batch_last = false;  // the last delivery of its batch
  bool after_sync = false;  // at-most-once: not before the assignment survives a power cut
  RecordRef record;
};

struct ReceiptEffect {
  uint64_t number = 0;
  ReceiptIssued receipt;
};

// The consumer that holds `token`, or held it until now, is to stop: a cancellation was asked for, or the
// lease has expired.
struct CancelNotice {
  SessionNo session = 0;
  LeaseToken token;
  JobId id;
  uint64_t number = 0;  // of the delivery that began the lease; 0 = an earlier session had it
};

inline CancelNotice notice_of(const JobCore& held) {
  return {held.holder, held.token(), held.id, held.delivery_no};
}

// Records of this lane up to `position` have been taken into the commit.
struct LaneEffect {
  SessionNo session = 0;
  uint8_t lane = 0;
  LanePosition position;
};

struct Effects {
  std::vector<DeliveryEffect> deliveries;
  std::vector<ReceiptEffect> receipts;
  std::vector<CancelNotice> notices;
  std::vector<SessionNo> batch_ends;  // behind `deliveries`, no more of the batch before will come
  std::vector<LaneEffect> lanes;
  std::vector<Change> changes;  // for those who watch; none when nobody does

  bool empty() const {
    return deliveries.empty() && receipts.empty() && notices.empty() && batch_ends.empty() && lanes.empty() &&
           changes.empty();
  }
};

// A commit's block in pieces that may outlive the rest of it: of so many records, or so many bytes, at most,
// or of one record.
inline constexpr size_t kBlockPieceRecords = 64;
inline constexpr size_t kBlockPieceBytes = 32u << 10;

// A hash that seal() puts into the entry, of these bytes of the block.
struct DueHash {
  uint32_t at = 0;
  BlobRef of;
};

struct Commit {
  uint64_t number = 0;
  bool needs_sync = false;
  BlockNo block = kNoBlock;
  std::shared_ptr<Bytes> entry;  // changed by seal() alone
  std::shared_ptr<const Bytes> block_bytes;
  std::vector<uint32_t> cuts;  // where the pieces of the block begin, but for the first
  std::vector<DueHash> due;    // none once it is sealed
  ChainHash hash{};            // of `entry`, once it is sealed
  Effects effects;
};

// What a closed commit lacks before it may be stored: the hashes of its payloads and results, and its place
// in the chain, behind the entry with hash `previous`. They take as long as everything else that the broker
// does with a small job, and nobody but the journal needs them: they need not be made by the broker's thread.
// Any thread, one at a time. REQUIRES: nobody else has the entry yet.
void seal(Commit& commit, const ChainHash& previous);
// The larger part of that: the hashes of payloads and results, for whom it is worth making them ahead.
void make_due_hashes(Commit& commit);

class CommitBuilder {
 public:
  CommitBuilder(BlockPool& blocks, uint64_t number, TimeNs now_ns);

  uint64_t number() const { return number_; }
  bool empty() const { return event_count_ == 0; }
  // Nothing is in it that its effects depend on: they may leave before it is written, and it may be written
  // together with what comes.
  bool can_wait() const { return awaited_count_ == 0; }
  // Of its records and events, so far.
  size_t bytes() const;
  // Large enough to be closed now.
  bool full() const;

  template <class Event>
  void add(const Event& event) {
    add_unawaited(event);
    ++awaited_count_;
  }
  // One whose last hash is that of these bytes of the block, and is made by seal().
  template <class Event>
  void add(const Event& event, const BlobRef& hashed) {
    due_.push_back({static_cast<uint32_t>(encode_event(event, events_)), hashed});
    ++event_count_;
    ++awaited_count_;
  }
  // One that no effect has to wait for: when the daemon dies before this commit is written, it is as well
  // that it never happened.
  template <class Event>
  void add_unawaited(const Event& event) {
    encode_event(event, events_);
    ++event_count_;
  }
  // Appends to the block, 8-byte aligned.
  BlobRef add_blob(ByteView bytes);
  // Room for a record that is copied straight from a lane.
  std::span<std::byte> add_room(size_t bytes, BlobRef& blob);
  // Takes `blob` and everything added after it out again. REQUIRES: no event points there.
  void drop_last(const BlobRef& blob);
  ByteView blob(const BlobRef& blob) const;
  RecordRef ref(const BlobRef& blob) const { return {block_, blob}; }
  void require_sync() { needs_sync_ = true; }
  Effects& effects() { return effects_; }

  // The finished commit, still to be sealed. The builder is spent.
  Commit close();
  // And seals it.
  Commit close(const ChainHash& previous) {
    Commit commit = close();
    seal(commit, previous);
    return commit;
  }

 private:
  BlockPool& blocks_;
  uint64_t number_;
  TimeNs now_ns_;
  BlockNo block_;
  std::vector<uint32_t> cuts_;
  size_t piece_records_ = 0;  // in the last piece
  Bytes events_;
  std::vector<DueHash> due_;
  uint32_t event_count_ = 0;
  uint32_t awaited_count_ = 0;  // of these
  bool needs_sync_ = false;
  Effects effects_;
};

}  // namespace pqd
