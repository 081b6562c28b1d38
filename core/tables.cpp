#include "core/tables.h"
#include "core/event_codec.h"

#include <algorithm>

#include "core/canary.h"

namespace pqd {
namespace {

constexpr uint8_t kTablesVersion = 1;

void write_lane_positions(ByteWriter& out, const SessionEntry& s) {
  for (const LanePosition& lane : s.lanes) {
    out.varint(lane.seq);
    out.varint(lane.bytes);
  }
  for (const uint64_t counter : s.last_counter) out.varint(counter);
}

void read_lane_positions(ByteReader& in, SessionEntry& s) {
  for (LanePosition& lane : s.lanes) {
    lane.seq = in.varint();
    lane.bytes = in.varint();
  }
  for (uint64_t& counter : s.last_counter) counter = in.varint();
}

void write_session(ByteWriter& out, const SessionEntry& s) {
  out.varint(s.number);
  out.varint(s.uid);
  out.varint(s.pid);
  out.varint(s.tag);
  out.pod(s.secret_hash);
  out.varint(s.resumed_from);
  out.pod(s.resumed_hash);
  write_lane_positions(out, s);
  out.varint(s.deliveries);
  out.varint(s.receipts);
  out.varint(s.kept_receipts.size());
  for (const ReceiptIssued& receipt : s.kept_receipts)
    ReceiptIssued::fields(receipt, event_detail::Encoder{out});
  out.varint(s.subscriptions.size());
  for (const SubscriptionEntry& sub : s.subscriptions) {
    const Subscribed event{s.number, sub.number, sub.queue, sub.credits, sub.types};
    Subscribed::fields(event, event_detail::Encoder{out});
  }
}

SessionEntry read_session(ByteReader& in) {
  SessionEntry s;
  s.number = in.varint();
  s.uid = static_cast<uint32_t>(in.varint());
  s.pid = static_cast<uint32_t>(in.varint());
  s.tag = static_cast<uint32_t>(in.varint());
  s.secret_hash = in.pod<ShortHash>();
  s.resumed_from = in.varint();
  s.resumed_hash = in.pod<ShortHash>();
  read_lane_positions(in, s);
  s.deliveries = in.varint();
  s.receipts = in.varint();
  for (uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    ReceiptIssued::fields(s.kept_receipts.emplace_back(), event_detail::Decoder{in});
  }
  for (uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    Subscribed event;
    Subscribed::fields(event, event_detail::Decoder{in});
    s.subscriptions.push_back({event.number, event.queue, event.credits, std::move(event.types)});
  }
  return s;
}

}  // namespace

std::optional<QueueNo> Tables::find_queue(std::string_view name) const {
  if (latest_queue_ < queues_.size() && queues_[latest_queue_].name == name) return latest_queue_;
  const auto found = queue_numbers_.find(std::string(name));
  if (found == queue_numbers_.end()) return std::nullopt;
  return latest_queue_ = found->second;
}

std::optional<TypeNo> Tables::find_type(std::string_view name) const {
  if (latest_type_ < types_.size() && types_[latest_type_] == name) return latest_type_;
  const auto found = type_numbers_.find(std::string(name));
  if (found == type_numbers_.end()) return std::nullopt;
  return latest_type_ = found->second;
}

NamesTaken Tables::names_taken(uint32_t uid) const {
  const auto found = names_taken_.find(uid);
  return found == names_taken_.end() ? NamesTaken{} : found->second;
}

const SessionEntry* Tables::session(SessionNo session) const {
  const auto found = sessions_.find(session);
  return found == sessions_.end() ? nullptr : &found->second;
}

SessionEntry* Tables::find_session(SessionNo session) {
  const auto found = sessions_.find(session);
  return found == sessions_.end() ? nullptr : &found->second;
}

SessionEntry* Tables::find_session_of_tag(uint32_t tag) {
  const auto found = std::find_if(sessions_.begin(), sessions_.end(),
                                  [tag](const auto& session) { return session.second.tag == tag; });
  return found == sessions_.end() ? nullptr : &found->second;
}

uint32_t Tables::uid_of(SessionNo number) const {
  const SessionEntry* entry = session(number);
  return entry == nullptr ? kNobody : entry->uid;
}

std::optional<uint32_t> Tables::uid_of_tag(uint32_t tag) const {
  for (const auto& [number, entry] : sessions_) {
    if (entry.tag == tag) return entry.uid;
  }
  const auto closed = std::find_if(closed_tags_.rbegin(), closed_tags_.rend(),
                                   [tag](const ClosedTag& entry) { return entry.tag == tag; });
  if (closed == closed_tags_.rend()) return std::nullopt;
  return closed->uid;
}

void Tables::apply(const TimePassed& e) { now_ns = std::max(now_ns, e.now_ns); }
void Tables::apply(const EpochStarted& e) { epoch = e.epoch; }

void Tables::apply(const QueueCreated& e) {
  queue_numbers_.emplace(e.name, e.queue);
  queues_.push_back({e.name, e.settings});
}
void Tables::apply(const QueueConfigured& e) { queues_[e.queue].settings = e.settings; }
void Tables::apply(const QueueOverridden& e) {
  QueueEntry& entry = queues_[e.queue];
  entry.settings = e.settings;
  entry.overridden = e.keys;
  entry.overridden_uid = e.keys == 0 ? 0 : uid_of(e.by);
  entry.overridden_ns = e.keys == 0 ? 0 : now_ns;
}
void Tables::apply(const QueueControlled& e) {
  queues_[e.queue].paused = e.paused;
  queues_[e.queue].draining = e.draining;
}
void Tables::apply(const TypeNamed& e) {
  type_numbers_.emplace(e.name, e.type);
  types_.push_back(e.name);
}

void Tables::apply(const SessionOpened& e) {
  SessionEntry& entry = sessions_[e.session];
  entry.number = e.session;
  entry.uid = e.uid;
  entry.pid = e.pid;
  entry.tag = e.tag;
  entry.secret_hash = e.secret_hash;
}

void Tables::apply(const SessionClosed& e) {
  const auto found = sessions_.find(e.session);
  if (found == sessions_.end()) return;
  closed_tags_.push_back({found->second.tag, found->second.uid});
  if (closed_tags_.size() > kClosedTags) closed_tags_.pop_front();
  sessions_.erase(found);
}
void Tables::apply(const SessionResumed& e) {
  SessionEntry* to = find_session(e.to);
  const SessionEntry* from = find_session(e.from);
  if (to != nullptr && from != nullptr) {
    to->resumed_from = e.claimed;
    to->resumed_hash = e.claimed == e.from ? from->secret_hash : from->resumed_hash;
  }
  apply(SessionClosed{e.from});
}

void Tables::apply(const Subscribed& e) {
  SessionEntry* session = find_session(e.session);
  if (session == nullptr) return;
  auto& list = session->subscriptions;
  const auto same =
      std::find_if(list.begin(), list.end(), [&](const auto& s) { return s.number == e.number; });
  SubscriptionEntry entry{e.number, e.queue, e.credits, e.types};
  if (same != list.end()) {
    *same = std::move(entry);
  } else {
    list.push_back(std::move(entry));
  }
}

void Tables::apply(const Unsubscribed& e) {
  if (SessionEntry* session = find_session(e.session)) {
    std::erase_if(session->subscriptions, [&](const auto& s) { return s.number == e.number; });
  }
}

void Tables::apply(const LaneAdvanced& e) {
  if (SessionEntry* session = find_session(e.session)) session->lanes[e.lane] = {e.seq, e.bytes};
}

void Tables::apply(const ReceiptIssued& e) {
  SessionEntry* session = find_session(e.session);
  if (session == nullptr) return;
  if (!PQD_CANARY("receipt-number-reused") || (e.flags & kReceiptVerdict) == 0) ++session->receipts;
  session->kept_receipts.push_back(e);
}

void Tables::apply(const ReceiptsTaken& e) {
  SessionEntry* session = find_session(e.session);
  if (session == nullptr) return;
  while (!session->kept_receipts.empty() && session->receipts - session->kept_receipts.size() < e.count) {
    session->kept_receipts.pop_front();
  }
}

void Tables::apply(const DeliveriesCounted& e) {
  if (SessionEntry* session = find_session(e.session))
    session->deliveries = std::max(session->deliveries, e.count);
}

void Tables::apply(const Submitted& e, const JobId& id) {
  next_job = std::max(next_job, arrival(e.job) + 1);
  saw_ready_seq(e.ready_seq);
  SessionEntry* session = find_session(e.session);
  if (session == nullptr || session->tag != id.tag()) session = find_session_of_tag(id.tag());
  if (session == nullptr) return;
  uint64_t& last = session->last_counter[id.lane()];
  last = std::max(last, id.counter());
}

void Tables::apply(const Assigned& e) {
  next_lease = std::max(next_lease, e.lease + 1);
  if (SessionEntry* session = find_session(e.session)) session->deliveries = e.delivery;
}

void Tables::apply(const Reheld& e) {
  SessionEntry* session = find_session(e.session);
  if (session != nullptr && e.delivery != 0) session->deliveries = e.delivery;
}

void Tables::apply(const Readied& e) { saw_ready_seq(e.ready_seq); }
void Tables::apply(const Admitted& e) { saw_ready_seq(e.ready_seq); }
void Tables::apply(const KeyTurn& e) { saw_ready_seq(e.ready_seq); }
void Tables::apply(const BatchFormed& e) { saw_ready_seq(e.first_ready_seq + e.jobs.size() - 1); }
void Tables::apply(const Redriven& e) {
  next_job = std::max(next_job, e.job + 1);
  saw_ready_seq(e.ready_seq);
}

void Tables::count_dead_letter(QueueNo queue, int by) {
  if (by > 0) {
    ++queues_[queue].dead_letters;
  } else if (queues_[queue].dead_letters > 0) {
    --queues_[queue].dead_letters;
  }
}

void Tables::saw_ready_seq(uint64_t ready_seq) { next_ready_seq = std::max(next_ready_seq, ready_seq + 1); }

Bytes Tables::encode() const {
  Bytes bytes;
  ByteWriter out(bytes);
  out.pod(kTablesVersion);
  out.varint(next_job);
  out.varint(next_lease);
  out.varint(next_ready_seq);
  out.varint(epoch);
  out.signed_varint(now_ns);
  out.varint(queues_.size());
  for (const QueueEntry& q : queues_) {
    out.text(q.name);
    out.pod(q.settings);
    out.pod(static_cast<uint8_t>(q.paused));
    out.pod(static_cast<uint8_t>(q.draining));
    out.varint(q.dead_letters);
  }
  out.varint(types_.size());
  for (const std::string& type : types_) out.text(type);
  out.varint(sessions_.size());
  for (const auto& [number, session] : sessions_) write_session(out, session);
  out.varint(closed_tags_.size());
  for (const ClosedTag& closed : closed_tags_) out.pod(closed);
  schedules_.encode(out);
  rates.encode(out, now_ns);
  for (const QueueEntry& q : queues_) {
    out.varint(q.overridden);
    out.varint(q.overridden_uid);
    out.signed_varint(q.overridden_ns);
  }
  out.varint(names_taken_.size());
  for (const auto& [uid, taken] : names_taken_) {
    out.varint(uid);
    out.varint(taken.queues);
    out.varint(taken.types);
  }
  return bytes;
}

std::expected<Tables, Error> Tables::decode(ByteView bytes) {
  ByteReader in(bytes);
  if (in.pod<uint8_t>() != kTablesVersion) return std::unexpected(Error::kSystemError);
  Tables tables;
  tables.next_job = in.varint();
  tables.next_lease = in.varint();
  tables.next_ready_seq = in.varint();
  tables.epoch = static_cast<uint32_t>(in.varint());
  tables.now_ns = in.signed_varint();
  for (uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    const std::string name(in.text());
    const auto settings = in.pod<QueueSettings>();
    const auto queue = static_cast<QueueNo>(tables.queues_.size());
    tables.apply(QueueCreated{queue, name, settings});
    tables.queues_.back().paused = in.pod<uint8_t>() != 0;
    tables.queues_.back().draining = in.pod<uint8_t>() != 0;
    tables.queues_.back().dead_letters = in.varint();
  }
  for (uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    tables.apply(TypeNamed{static_cast<TypeNo>(tables.types_.size()), std::string(in.text())});
  }
  for (uint64_t n = in.varint(); n > 0 && !in.failed(); --n) {
    SessionEntry session = read_session(in);
    tables.sessions_.emplace(session.number, std::move(session));
  }
  for (uint64_t n = in.varint(); n > 0 && !in.failed(); --n)
    tables.closed_tags_.push_back(in.pod<ClosedTag>());
  // What an older store does not have stays empty.
  if (in.remaining() > 0 && !tables.schedules_.decode(in)) return std::unexpected(Error::kSystemError);
  if (in.remaining() > 0) tables.rates.decode(in, tables.now_ns);
  if (in.remaining() > 0) {
    for (QueueEntry& q : tables.queues_) {
      q.overridden = static_cast<QueueKeys>(in.varint());
      q.overridden_uid = static_cast<uint32_t>(in.varint());
      q.overridden_ns = in.signed_varint();
    }
  }
  for (uint64_t n = in.remaining() > 0 ? in.varint() : 0; n > 0 && !in.failed(); --n) {
    NamesCounted taken;
    NamesCounted::fields(taken, event_detail::Decoder{in});
    tables.apply(taken);
  }
  if (in.failed() || in.remaining() != 0) return std::unexpected(Error::kSystemError);
  return tables;
}

}  // namespace pqd
