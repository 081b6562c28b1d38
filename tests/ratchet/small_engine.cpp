#include "tests/ratchet/small_engine.h"

#include <cstring>

namespace pqd::ratchet {

BrokerOptions wide_options() {
  BrokerOptions options;
  options.defaults.max_depth = 100'000'000;
  options.defaults.max_bytes = uint64_t{64} << 30;
  options.defaults.max_active = 0;
  options.defaults.queue_timeout_ms = 0;
  options.user_rates[std::to_string(kUid)] = 100'000'000;
  AccessRule everyone;
  everyone.produces.push_back(NamePattern::everything());
  everyone.consumes.push_back({NamePattern::everything(), NamePattern::everything()});
  options.access.daemon_uid = kUid + 1;
  options.access.everyone = everyone;
  return options;
}

SmallEngine::SmallEngine() : broker_(state_, finished_, wide_options()) {
  state_.timers.start(kStartNs);
  opening_.push_back(turn([this](CommitBuilder&) {
    broker_.start_epoch(1);
    broker_.open_session({kProducer, kUid, 4242, kProducerTag, {}});
    broker_.open_session({kConsumer, kUid, 4243, kProducerTag + 1, {}});
  }));
}

// A turn a millisecond, so that the clock moves as little from round to round.
template <class F>
Commit SmallEngine::turn(F&& body) {
  const TimeNs now = kStartNs + static_cast<TimeNs>(last_commit_) * kMillisecondNs;
  CommitBuilder builder(state_.blocks, ++last_commit_, now);
  broker_.begin_turn(now, builder);
  body(builder);
  broker_.end_turn();
  Commit commit = builder.close(last_hash_);
  last_hash_ = commit.hash;
  return commit;
}

void SmallEngine::subscribe(uint32_t credits) {
  const Bytes record = write_subscribe({1, credits, "default", {}});
  opening_.push_back(control(std::span(&record, 1)));
}

Commit SmallEngine::submit(std::span<const Bytes> records) {
  return turn([&](CommitBuilder& commit) {
    for (const Bytes& record : records) {
      BlobRef blob;
      std::memcpy(commit.add_room(record.size(), blob).data(), record.data(), record.size());
      broker_.submit(kProducer, kLaneOfJobs, ++submit_seq_, blob);
    }
    broker_.lane_advanced(kProducer, kLaneOfJobs, {submit_seq_, submit_seq_ * 296}, false);
  });
}

Commit SmallEngine::control(std::span<const Bytes> records) {
  return turn([&](CommitBuilder&) {
    for (const Bytes& record : records) broker_.control(kConsumer, ++control_seq_, record);
    broker_.lane_advanced(kConsumer, kControlLane, {control_seq_, control_seq_ * 64}, false);
  });
}

void SmallEngine::forget(const Commit& commit) {
  for (const DeliveryEffect& delivery : commit.effects.deliveries)
    state_.blocks.drop_user(delivery.record.block);
  state_.retire(commit.number);
}

Bytes SmallEngine::completion_of(const DeliveryEffect& delivery) {
  SettleHead head;
  head.head.kind = static_cast<uint8_t>(RecordKind::kComplete);
  head.token = delivery.token;
  head.id = delivery.id;
  return write_settle(head, {});
}

}  // namespace pqd::ratchet
