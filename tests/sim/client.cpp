#include "tests/sim/client.h"

#include <algorithm>

#include "core/schedule_record.h"

namespace pqd::sim {
namespace {

constexpr size_t kLaneRecords = 64;  // fit into a lane
constexpr size_t kRemembered = 8;

uint8_t lane_of(uint8_t priority) {
  if (priority < 5) return 0;
  if (priority < 10) return 1;
  return priority < 20 ? 2 : 3;
}

RecordKind kind_of(const Bytes& record) {
  return static_cast<RecordKind>(record[offsetof(RecordHead, kind)]);
}

Bytes submit_record(const Wish& wish, const JobId& id, size_t count, size_t index) {
  SubmitView view;
  view.head.head.flags = wish.flags;
  view.head.id = id;
  view.head.not_before_ms = wish.not_before_ms;
  view.head.queue_timeout_ms = wish.queue_timeout_ms;
  view.head.processing_timeout_ms = wish.processing_timeout_ms;
  view.head.backoff_first_ms = wish.backoff_first_ms;
  view.head.backoff_cap_ms = wish.backoff_cap_ms;
  view.head.batch_count = static_cast<uint32_t>(count);
  view.head.batch_index = static_cast<uint32_t>(index);
  view.head.max_attempts = wish.max_attempts;
  view.head.mode = static_cast<uint8_t>(wish.mode);
  view.head.priority = wish.priority;
  view.head.delivery = static_cast<uint8_t>(wish.delivery);
  view.head.durability = static_cast<uint8_t>(wish.durability);
  view.queue = wish.queue;
  view.type = wish.type;
  view.ordering_key = wish.ordering_key;
  view.idempotency_key = wish.idempotency_key;
  view.subject = wish.subject;
  view.payload = as_bytes(wish.payload);
  Bytes bytes(submit_record_bytes(view));
  write_submit_record(view, bytes);
  return bytes;
}

}  // namespace

void Client::connect(Supervisor& supervisor) {
  SessionMemory& memory = supervisor.sessions[supervisor.next_session];
  memory.number = supervisor.next_session++;
  memory.uid = uid_;
  if (uid_ == 1000 || uid_ == 1001) memory.groups.push_back(60);
  if (uid_ == 1001) memory.groups.push_back(61);
  memory.tag = 7'000 + static_cast<uint32_t>(memory.number);
  memory.secret[0] = static_cast<uint8_t>(memory.number);
  memory.secret[1] = static_cast<uint8_t>(memory.number >> 8);
  memory.claims = earlier_;
  memory.claim_proof = earlier_secret_;
  memory.deliveries_seen = deliveries_seen_;
  session_ = &memory;
  welcome_seen_ = false;
}

void Client::lost() {
  // A session whose welcome never came is not one that the client could prove.
  if (session_ != nullptr && welcome_seen_) {
    earlier_ = session_->number;
    earlier_secret_ = session_->secret;
  }
  session_ = nullptr;
  welcome_seen_ = subscribed = false;
}

void Client::die() {
  if (session_ != nullptr) session_->gone = true;
  session_ = nullptr;
  welcome_seen_ = subscribed = false;
  earlier_ = 0;
  earlier_secret_ = {};
  deliveries_seen_ = 0;
  tickets_.clear();
  in_hand_.clear();
  watches_.clear();
  own_.clear();
  batch_ = {};
  batches_.clear();
}

void Client::look(TimeNs now) {
  now_ = now;
  if (session_ == nullptr || !session_->welcomed) return;
  if (!welcome_seen_) {
    welcome_seen_ = true;
    deliveries_seen_ = 0;
    counters_ = {};
    if (!session_->resumed) in_hand_.clear();
    send_again();
    begin_watches_again();
  }
  if (std::exchange(engine_epoch_, session_->engine_epoch) != session_->engine_epoch) begin_watches_again();
  take_receipts();
  pass_watermarks();
  take_deliveries();
  take_events();
  send_watches();
}

void Client::watch(WatchHead head, const std::string& queue, const std::string& type) {
  watches_.push_back({head, queue, type});
  send_watches();
}

void Client::unwatch() {
  if (watches_.empty()) return;
  if (watches_.front().sent) control(write_unwatch(watches_.front().head.request));
  watches_.pop_front();
}

// What came between the two engines nobody knows.
void Client::begin_watches_again() {
  for (Watching& watching : watches_) {
    watching.sent = false;
    if (!watching.begun || watching.head.follow == 0) continue;
    watching.head.head.flags |= kFlagResubmitted;
    watching.head.last = 0;
  }
}

void Client::send_watches() {
  for (Watching& watching : watches_) {
    if (watching.sent || !room(kControlLane, 1)) continue;
    watching.sent = true;
    watching.head.request = ++requests_;
    control(write_watch(watching.head, watching.queue, watching.type));
  }
}

void Client::take_events() {
  while (!session_->events.empty()) {
    const PublishedEvent published = std::move(session_->events.front());
    session_->events.pop_front();
    const auto at = std::ranges::find_if(watches_, [&](const Watching& watching) {
      return watching.sent && watching.head.request == published.request;
    });
    if (at == watches_.end()) continue;  // it has said that it does not want it
    at->begun = true;
    if (published.end) watches_.erase(at);
  }
}

bool Client::room(uint8_t lane, size_t count) const {
  const UpLane& up = session_->up[lane];
  return up.tail - session_->marks[lane].head + count <= kLaneRecords;
}

uint64_t Client::write(uint8_t lane, Bytes record) {
  UpLane& up = session_->up[lane];
  up.records.push_back({++up.tail, std::move(record)});
  return up.tail;
}

// Submits, by their places in the history: of jobs that may run once at most and are in memory only, and of
// all that came in a batch with one.
std::set<size_t> Client::not_to_be_sent_again() const {
  const auto head_of = [](const Ticket& ticket) {
    SubmitHead head;
    std::memcpy(&head, ticket.record.data(), sizeof head);
    return head;
  };
  std::set<size_t> given_up;
  std::vector<size_t> batch;
  bool doomed = false;
  for (const Ticket& ticket : tickets_) {
    if (ticket.kind != RecordKind::kSubmit) continue;
    const SubmitHead head = head_of(ticket);
    if (head.batch_index == 0) batch.clear(), doomed = false;
    batch.push_back(ticket.history);
    doomed |= head.durability == static_cast<uint8_t>(Durability::kMemory) &&
              head.delivery == static_cast<uint8_t>(Delivery::kAtMostOnce);
    if (doomed) given_up.insert(batch.begin(), batch.end());
  }
  return given_up;
}

// What the old watermarks had not passed goes into the new session in its old order, marked; subscriptions
// are made anew.
void Client::send_again() {
  const std::set<size_t> given_up = not_to_be_sent_again();
  std::deque<Ticket> again;
  for (Ticket& ticket : std::exchange(tickets_, {})) {
    if (ticket.kind == RecordKind::kSubscribe || ticket.kind == RecordKind::kUnsubscribe ||
        ticket.kind == RecordKind::kWatch || ticket.kind == RecordKind::kUnwatch)
      continue;
    if (given_up.contains(ticket.history)) continue;
    RecordHead head;
    std::memcpy(&head, ticket.record.data(), sizeof head);
    head.flags |= kFlagResubmitted;
    std::memcpy(ticket.record.data(), &head, sizeof head);
    ticket.deferred = false;
    ticket.told = check::Outcome::kOk;
    ticket.told_first = {};
    if (ticket.kind == RecordKind::kSubmit) history_.submit_sent_again(ticket.history);
    if (ticket.kind == RecordKind::kRedrive) history_.redrive_sent_again(read_redrive(ticket.record)->id);
    ticket.seq = write(ticket.lane, ticket.record);
    again.push_back(std::move(ticket));
  }
  tickets_ = std::move(again);
}

std::vector<JobId> Client::submit(const std::vector<Wish>& wishes, TimeNs now) {
  static uint64_t last_batch = 0;
  const uint64_t batch = wishes.size() > 1 ? ++last_batch : 0;
  const uint8_t lane = lane_of(wishes.front().priority);
  std::vector<JobId> ids;
  for (size_t i = 0; i < wishes.size(); ++i) {
    const Wish& wish = wishes[i];
    const JobId id =
        JobId::make(static_cast<uint64_t>(now / kMillisecondNs), session_->tag, lane, ++counters_[lane]);
    Bytes record = submit_record(wish, id, wishes.size(), i);
    check::Submission submission;
    submission.id = id;
    submission.user = uid_;
    submission.lane = session_->number * 8 + lane;
    submission.payload = wish.payload;
    submission.queue = wish.queue;
    submission.type = wish.type;
    submission.ordering_key = wish.ordering_key;
    submission.delivery = wish.delivery;
    submission.durability = wish.durability;
    submission.max_attempts = wish.max_attempts;
    submission.batch = batch;
    submission.idempotency_key = wish.idempotency_key;
    submission.subject = wish.subject;
    submission.submitted_ns = now;
    const size_t at = history_.submitted(std::move(submission));
    const uint64_t seq = write(lane, record);
    tickets_.push_back({lane, seq, RecordKind::kSubmit, wish.durability, false, std::move(record), at});
    own_.push_back(id);
    ids.push_back(id);
    trace_.say(now, "client ", name_, " submits job ", id, " to ", wish.queue, " type ", wish.type,
               " priority ", int{wish.priority}, wish.ordering_key.empty() ? "" : " key ", wish.ordering_key,
               wish.idempotency_key.empty() ? "" : " idempotency key ", wish.idempotency_key,
               wish.subject.empty() ? "" : " for ", wish.subject,
               wish.delivery == Delivery::kAtMostOnce ? " at-most-once" : "",
               wish.durability == Durability::kOs       ? " os"
               : wish.durability == Durability::kMemory ? " memory"
                                                        : "",
               batch != 0 ? " in a batch" : "");
  }
  return ids;
}

void Client::control(Bytes record) {
  const RecordKind kind = kind_of(record);
  const Durability durability = durability_of_control(record);
  const uint64_t seq = write(kControlLane, record);
  tickets_.push_back({kControlLane, seq, kind, durability, false, std::move(record), SIZE_MAX});
}

void Client::set_schedule(const std::string& name, const std::string& spec, const std::string& zone,
                          const Wish& wish, bool replace) {
  const Bytes job = submit_record(wish, JobId::make(1, 0, 0, 1), 1, 0);
  control(write_cron_set({{}, replace, name, spec, zone, job}));
  tickets_.back().history = history_.schedule_asked({name, uid_, wish.payload, wish.delivery, true});
  trace_.say(now_, "client ", name_, replace ? " replaces" : " sets", " schedule ", name, ": ", spec, " in ",
             zone);
}

void Client::remove_schedule(const std::string& name) {
  control(write_cron_remove(name));
  tickets_.back().history = history_.schedule_asked({name, uid_, {}, Delivery::kAtLeastOnce, false});
  trace_.say(now_, "client ", name_, " removes schedule ", name);
}

void Client::settle(const InHand& job, RecordKind kind, std::string_view body, uint16_t flags,
                    uint32_t extend_ms, uint8_t progress) {
  SettleHead head;
  head.head.kind = static_cast<uint8_t>(kind);
  head.head.flags = flags;
  head.token = job.token;
  head.id = job.id;
  head.extend_ms = extend_ms;
  head.progress = progress;
  Bytes record = write_settle(head, as_bytes(body));
  const Durability durability = durability_of_control(record);
  const uint64_t seq = write(kControlLane, record);
  Ticket ticket{kControlLane, seq, kind, durability, false, std::move(record), SIZE_MAX};
  const bool final =
      kind == RecordKind::kComplete || kind == RecordKind::kFail || kind == RecordKind::kRelease;
  if (final && !job.guessed) {
    const check::Verdict verdict = kind == RecordKind::kComplete ? check::Verdict::kComplete
                                   : kind == RecordKind::kFail   ? check::Verdict::kFail
                                                                 : check::Verdict::kRelease;
    ticket.history = history_.settled({job.id, job.token, verdict});
  }
  tickets_.push_back(std::move(ticket));
  trace_.say(now_, "client ", name_, " says ", int{static_cast<uint8_t>(kind)}, " of job ", job.id);
}

void Client::remember(const InHand& job) {
  remembered_.push_back(job);
  if (remembered_.size() > kRemembered) remembered_.pop_front();
}

void Client::end(const Ticket& ticket, check::Outcome outcome) {
  if (ticket.history == SIZE_MAX) return;
  if (ticket.kind == RecordKind::kSubmit)
    history_.submit_ended(ticket.history, outcome, now_, ticket.told_first);
  else if (ticket.kind == RecordKind::kCronSet || ticket.kind == RecordKind::kCronRemove)
    history_.schedule_ended(ticket.history, outcome);
  else
    history_.settlement_ended(ticket.history, outcome);
}

void Client::take_receipts() {
  while (!session_->receipts.empty()) {
    const ReceiptIssued receipt = session_->receipts.front().receipt;
    session_->receipts_read = session_->receipts.front().number;
    session_->receipts.pop_front();
    trace_.say(now_, "client ", name_, " hears ", error_name(static_cast<Error>(receipt.code)), " flags ",
               int{receipt.flags}, " about record ", receipt.seq, " of lane ", int{receipt.lane}, ", job ",
               receipt.id);
    const auto ticket = std::ranges::find_if(
        tickets_, [&](const Ticket& t) { return t.lane == receipt.lane && t.seq == receipt.seq; });
    require(ticket != tickets_.end(), "client ", name_, " hears ",
            error_name(static_cast<Error>(receipt.code)), " about record ", receipt.seq, " of lane ",
            int{receipt.lane}, ", which it took for done");
    // It counts when the watermark has passed the record: if a reconnect comes first, all is decided again.
    ticket->deferred = (receipt.flags & kReceiptDeferred) != 0;
    if (!ticket->deferred) ticket->told = receipt.code == 0 ? check::Outcome::kOk : check::Outcome::kRefused;
    if ((receipt.flags & kReceiptDuplicate) != 0) ticket->told_first = receipt.id;
  }
}

void Client::pass_watermarks() {
  std::erase_if(tickets_, [this](const Ticket& ticket) {
    const LaneMarks& marks = session_->marks[ticket.lane];
    const uint64_t reached = ticket.durability == Durability::kFsync ? marks.synced : marks.written;
    if (ticket.deferred || ticket.seq > reached) return false;
    end(ticket, ticket.told);
    return true;
  });
}

void Client::take_deliveries() {
  while (!session_->deliveries.empty()) {
    const PublishedDelivery delivery = std::move(session_->deliveries.front());
    session_->deliveries.pop_front();
    if (delivery.notice) {
      for (InHand& job : in_hand_)
        if (job.token == delivery.token) job.asked_to_stop = true;
      continue;
    }
    if (delivery.number <= deliveries_seen_) continue;  // it came twice: an engine died over it
    deliveries_seen_ = delivery.number;
    if (const Batch batch(delivery.token.epoch, delivery.batch); batch != batch_) {
      batches_.insert(std::exchange(batch_, batch));
      require(delivery.batch == 0 || !batches_.contains(batch_), "client ", name_, " gets job ", delivery.id,
              " after its batch was over");
    }
    in_hand_.push_back({delivery.number, delivery.token, delivery.id, delivery.subscription, false});
    history_.took({0, delivery.id, delivery.token, name_, delivery.attempt, delivery.max_attempts,
                   delivery.payload, now_});
  }
}

}  // namespace pqd::sim
