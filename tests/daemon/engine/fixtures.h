// What the tests of this folder share: a client's end and the engine's end of one session, over real memory
// files, in one process.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "core/submit_record.h"
#include "daemon/engine/session_port.h"
#include "daemon/supervisor/session_files.h"
#include "shm/memfd.h"
#include "shm/sizes.h"
#include "tests/support/temp_dir.h"

namespace pqd::test {

inline SegmentSizes small_sizes() {
  SegmentSizes sizes;
  sizes.lane_bytes.fill(kRingBytesMin);
  sizes.receipt_slots = kReceiptSlotsMin;
  sizes.deliveries_bytes = kRingBytesMin;
  sizes.answers_bytes = kRingBytesMin;
  return sizes;
}

// One client and its port. The client's words are reached through `up` and `down`.
class Peers {
 public:
  static constexpr SessionNo kSession = 7;
  static constexpr uint32_t kTag = 7;

  // `session`: its number, and its tag.
  explicit Peers(const SessionEntry& entry = {}, uint32_t session = kTag)
      : sizes(small_sizes()), tag(session), files(create_session_files(sizes).value()) {
    up = UpSegment::map(files.up.get(), sizes, Access::kReadWrite, OnFork::kDrop).value();
    SessionGrant grant;
    grant.session = session;
    grant.tag = tag;
    grant.sizes = sizes;
    grant.up_fd = ::dup(files.up.get());
    grant.down_fd = ::dup(files.down.get());
    grant.client_doorbell_fd = ::dup(files.client_doorbell.get());
    grant.engine_doorbell_fd = ::dup(files.engine_doorbell.get());
    port = SessionPort::open(grant, entry).value();
    for (size_t i = 0; i < kLaneCount; ++i) {
      writers[i] = RingWriter(up.ring_data(static_cast<Lane>(i)), sizes.lane_bytes[i], up.header().tail[i],
                              down().lanes[i].head);
    }
    deliveries = TrustingRingReader(files.mapping.deliveries_data(), sizes.deliveries_bytes,
                                    down().deliveries_tail, up.header().deliveries_read);
    answers = TrustingRingReader(files.mapping.answers_data(), sizes.answers_bytes, down().answers_tail,
                                 up.header().answers_read);
    receipts = ReceiptReader(files.mapping.receipts(), sizes.receipt_slots, down().receipts_written,
                             up.header().receipts_read);
  }

  DownHeader& down() { return files.mapping.header(); }
  Watermarks marks(Lane lane) { return load_watermarks(files.mapping.lane(lane)); }
  RingWriter& writer(Lane lane) { return writers[lane_index(lane)]; }

  // Publishes bytes as a record of the lane; the size field is the caller's.
  void put(Lane lane, ByteView record) {
    const auto out = writer(lane).reserve(static_cast<uint32_t>(record.size()));
    ASSERT_FALSE(out.empty());
    std::ranges::copy(record, out.begin());
    writer(lane).commit(static_cast<uint32_t>(record.size()));
    writer(lane).publish();
  }

  // The record of a job as the client library writes it.
  Bytes job(Lane lane, uint32_t batch_count = 1, uint32_t batch_index = 0,
            std::string_view payload = "payload") {
    SubmitView view;
    view.head.id = JobId::make(1'700'000'000'000, tag, static_cast<uint8_t>(lane), ++counter);
    view.head.batch_count = batch_count;
    view.head.batch_index = batch_index;
    view.queue = "default";
    view.type = "work";
    view.payload = as_bytes(payload);
    Bytes record(submit_record_bytes(view));
    write_submit_record(view, record);
    return record;
  }

  SegmentSizes sizes;
  uint32_t tag;
  SessionFiles files;
  UpSegment up;
  std::unique_ptr<SessionPort> port;
  std::array<RingWriter, kLaneCount> writers;
  TrustingRingReader deliveries;
  TrustingRingReader answers;
  ReceiptReader receipts;
  uint64_t counter = 0;
};

}  // namespace pqd::test
