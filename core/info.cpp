#include "core/info.h"

namespace pqd {
namespace {

// One list of fields serves both directions: `archive` is a writer or a reader.
struct Out {
  ByteWriter& to;
  void operator()(const std::string& value) { to.text(value); }
  void operator()(const Bytes& value) { to.blob(value); }
  template <class Pod>
  requires std::is_trivially_copyable_v<Pod>
  void operator()(const Pod& value) { to.pod(value); }
  // What an earlier version does not send.
  template <class Pod>
  void later(const Pod& value) {
    to.pod(value);
  }
  template <class Item>
  void operator()(const std::vector<Item>& list) {
    to.varint(list.size());
    for (const Item& item : list) (*this)(item);
  }
  void operator()(const AttemptInfo& item);
  void operator()(const ReviewInfo& item);
};

struct In {
  ByteReader& from;
  void operator()(std::string& value) { value = from.text(); }
  void operator()(Bytes& value) {
    const ByteView bytes = from.blob();
    value.assign(bytes.begin(), bytes.end());
  }
  void operator()(bool& value) { value = from.pod<uint8_t>() != 0; }
  template <class Pod>
  requires std::is_trivially_copyable_v<Pod>
  void operator()(Pod& value) { value = from.pod<Pod>(); }
  template <class Pod>
  void later(Pod& value) {
    if (from.remaining() > 0) value = from.pod<Pod>();
  }
  template <class Item>
  void operator()(std::vector<Item>& list) {
    const uint64_t count = from.varint();
    list.clear();
    for (uint64_t i = 0; i < count && !from.failed(); ++i) (*this)(list.emplace_back());
  }
  void operator()(AttemptInfo& item);
  void operator()(ReviewInfo& item);
};

template <class Self, class Archive>
void attempt_fields(Self& i, Archive& archive) {
  archive(i.attempt), archive(i.reason), archive(i.when_ns), archive(i.session), archive(i.uid),
      archive(i.error);
}
void Out::operator()(const AttemptInfo& item) { attempt_fields(item, *this); }
void In::operator()(AttemptInfo& item) { attempt_fields(item, *this); }

template <class Self, class Archive>
void review_fields(Self& i, Archive& archive) {
  archive(i.when_ns), archive(i.session), archive(i.uid), archive(i.resolution);
}
void Out::operator()(const ReviewInfo& item) { review_fields(item, *this); }
void In::operator()(ReviewInfo& item) { review_fields(item, *this); }

template <class Self, class Archive>
void job_fields(Self& i, Archive archive) {
  archive(i.core), archive(i.queue), archive(i.type), archive(i.subject), archive(i.note),
      archive(i.metadata);
  archive(i.result), archive(i.payload), archive(i.has_payload), archive(i.dlq), archive(i.history);
  archive(i.reviews);
}

template <class Self, class Archive>
void queue_fields(Self& i, Archive archive) {
  archive(i.name), archive(i.settings), archive(i.paused), archive(i.draining), archive(i.ready);
  archive(i.scheduled), archive(i.active), archive(i.parked), archive(i.dlq), archive(i.bytes);
  archive(i.consumers), archive(i.oldest_ready_ns), archive(i.held), archive(i.collecting);
  archive(i.overridden), archive(i.overridden_uid), archive(i.overridden_ns);
}

template <class Self, class Archive>
void health_fields(Self& i, Archive archive) {
  archive(i.healthy), archive(i.status), archive(i.now_ns), archive(i.queue_depth), archive(i.active_workers);
  archive(i.pending), archive(i.processing), archive(i.completed_recent), archive(i.failed_recent);
  archive(i.dlq_size), archive(i.capacity), archive(i.average_wait_ms), archive(i.average_processing_ms);
  archive(i.oldest_ready_age_ms), archive(i.degraded_reasons);
  archive.later(i.waits_recent);
}

template <class Info, class Fields>
std::expected<Info, Error> decode_with(ByteView body, Fields fields) {
  ByteReader reader(body);
  Info info;
  fields(info, In{reader});
  if (reader.failed()) return std::unexpected(Error::kSystemError);
  return info;
}

}  // namespace

Bytes encode(const JobInfo& info) {
  Bytes out;
  ByteWriter writer(out);
  job_fields(info, Out{writer});
  return out;
}
Bytes encode(const QueueInfo& info) {
  Bytes out;
  ByteWriter writer(out);
  queue_fields(info, Out{writer});
  return out;
}
Bytes encode(const HealthInfo& info) {
  Bytes out;
  ByteWriter writer(out);
  health_fields(info, Out{writer});
  return out;
}

std::expected<JobInfo, Error> decode_job_info(ByteView body) {
  return decode_with<JobInfo>(body, [](auto& i, auto archive) { job_fields(i, archive); });
}
std::expected<QueueInfo, Error> decode_queue_info(ByteView body) {
  return decode_with<QueueInfo>(body, [](auto& i, auto archive) { queue_fields(i, archive); });
}
std::expected<HealthInfo, Error> decode_health_info(ByteView body) {
  return decode_with<HealthInfo>(body, [](auto& i, auto archive) { health_fields(i, archive); });
}

}  // namespace pqd
