// What happens to a job between its producer's call and the broker.
#include <cstdlib>
#include <cstring>

#include "core/commit.h"
#include "core/limits.h"
#include "shm/memfd.h"
#include "shm/ring.h"
#include "shm/segment.h"
#include "tests/ratchet/fixed_jobs.h"
#include "tests/ratchet/piece.h"

namespace pqd::ratchet {
namespace {

// Both ends of a lane in one process.
class LanePiece : public Piece {
 protected:
  static constexpr Lane kLane = Lane::kNormal;

  LanePiece() {
    const UniqueFd up_fd(create_memfd("pqd-ratchet-up", up_layout(sizes_).file_bytes()).value());
    const UniqueFd down_fd(create_memfd("pqd-ratchet-down", down_layout(sizes_).file_bytes()).value());
    up_ = UpSegment::map(up_fd.get(), sizes_, Access::kReadWrite, OnFork::kDrop).value();
    down_ = DownSegment::map(down_fd.get(), sizes_, Access::kReadWrite, OnFork::kDrop).value();
    writer_ = RingWriter(up_.ring_data(kLane), up_.ring_bytes(kLane), tail(),
                         std::as_const(down_).lane(kLane).head);
    reader_ = RingReader(std::as_const(up_).ring_data(kLane), up_.ring_bytes(kLane), tail());
  }

  void publish(ByteView record) {
    const auto bytes = static_cast<uint32_t>(record.size());
    const std::span<std::byte> room = writer_.reserve(bytes);
    if (room.empty()) std::abort();
    std::memcpy(room.data(), record.data(), bytes);
    writer_.commit(bytes);
    writer_.publish();
  }
  // As the engine takes one: asks for its size, makes room, copies.
  bool take(CommitBuilder& commit) {
    const TakeResult wanted = reader_.next({});
    if (wanted.outcome != Taken::kTargetTooSmall) return false;
    BlobRef blob;
    return reader_.next(commit.add_room(wanted.bytes, blob)).outcome == Taken::kRecord;
  }
  // Takes all that there is, and gives the room back.
  uint64_t drain(CommitBuilder& commit) {
    uint64_t taken = 0;
    while (reader_.refresh())
      while (take(commit)) ++taken;
    return taken;
  }
  // release: pairs with the writer's acquire, as in a daemon.
  void free_room() { down_.lane(kLane).head.store(reader_.position().cursor, std::memory_order_release); }

  FixedIds ids_;
  BlockPool blocks_;
  RingWriter writer_;

 private:
  std::atomic<uint64_t>& tail() { return up_.header().tail[lane_index(kLane)]; }

  SegmentSizes sizes_;
  UpSegment up_;
  DownSegment down_;
  RingReader reader_;
};

// The half of a client's submit() that needs no session: fields into a view, checked, written into the lane.
class ClientEncode final : public LanePiece {
 public:
  void round(Meter& meter) override {
    CommitBuilder commit(blocks_, 1, kStartNs);
    meter.begin();
    for (uint32_t i = 0; i < kRoundJobs; ++i) {
      const SubmitView view = fixed_job(ids_.next());
      if (check_submit(view, limits::kPayloadBytesDefault).error != Error::kOk) std::abort();
      const auto bytes = static_cast<uint32_t>(submit_record_bytes(view));
      write_submit_record(view, writer_.reserve(bytes));
      writer_.commit(bytes);
    }
    meter.end(kRoundJobs);
    writer_.publish();
    drain(commit);
    free_room();
    commit.close();
  }
};

class LanePublish final : public LanePiece {
 public:
  void round(Meter& meter) override {
    CommitBuilder commit(blocks_, 1, kStartNs);
    const std::vector<Bytes> records = fixed_records(ids_);
    meter.begin();
    for (const Bytes& record : records) publish(record);
    meter.end(records.size());
    drain(commit);
    free_room();
    commit.close();
  }
};

class LaneDrain final : public LanePiece {
 public:
  void round(Meter& meter) override {
    CommitBuilder commit(blocks_, 1, kStartNs);
    const std::vector<Bytes> records = fixed_records(ids_);
    for (const Bytes& record : records) publish(record);
    meter.begin();
    const uint64_t taken = drain(commit);
    meter.end(taken);
    if (taken != records.size()) std::abort();
    free_room();
    commit.close();
  }
};

class RecordCheck final : public Piece {
 public:
  void round(Meter& meter) override {
    const std::vector<Bytes> records = fixed_records(ids_);
    uint64_t good = 0;
    meter.begin();
    for (const Bytes& record : records) {
      const auto submit = read_submit_record(record);
      if (submit && check_submit(*submit, limits::kPayloadBytesDefault).error == Error::kOk) ++good;
    }
    meter.end(records.size());
    if (good != records.size()) std::abort();
  }

 private:
  FixedIds ids_;
};

}  // namespace

std::unique_ptr<Piece> make_client_encode() { return std::make_unique<ClientEncode>(); }
std::unique_ptr<Piece> make_lane_publish() { return std::make_unique<LanePublish>(); }
std::unique_ptr<Piece> make_lane_drain() { return std::make_unique<LaneDrain>(); }
std::unique_ptr<Piece> make_record_check() { return std::make_unique<RecordCheck>(); }

}  // namespace pqd::ratchet
