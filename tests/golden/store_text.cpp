#include "tests/golden/store_text.h"

#include <sstream>

#include "core/queries.h"
#include "core/short_hash.h"

namespace pqd::test {
namespace {

std::string hex(std::span<const uint8_t> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string hash_of(ByteView bytes) { return bytes.empty() ? "-" : hex(short_hash(bytes)); }

class RowText {
 public:
  RowText(const Tables& tables, const JobRow& row) : row_(row), core_(row.core) {
    out_ << core_.id.to_string() << " no=" << core_.no << " queue=" << tables.queue(core_.queue).name
         << " type=" << tables.type(core_.type) << " state=" << state_name(core_.state);
    facts();
    places();
    bytes();
  }
  std::string text() const { return out_.str(); }

 private:
  template <class Value>
  void put(const char* name, const Value& value) {
    if (value != Value{}) out_ << " " << name << "=" << value;
  }
  template <class Value>
  void put_number(const char* name, Value value) {
    put(name, static_cast<uint64_t>(value));
  }

  void facts() {
    put_number("mode", core_.mode), put_number("priority", core_.priority);
    put_number("delivery", core_.delivery), put_number("durability", core_.durability);
    put_number("reason", core_.reason), put("owner", core_.owner_uid), put("submitter", core_.submitter);
    put("attempts", core_.attempts), put("max", core_.max_attempts), put("failures", core_.failures);
    put("deaths", core_.deaths), put_number("progress", core_.progress);
    put("queue_timeout", core_.queue_timeout_ms), put("processing_timeout", core_.processing_timeout_ms);
    put("backoff", core_.backoff_first_ms), put("cap", core_.backoff_cap_ms);
    put("jitter", core_.backoff_jitter), put("keyed", core_.keyed), put("redriven", core_.redriven);
    put("cancel", core_.cancel_requested), put("reviewed", core_.reviewed), put("purged", core_.purged);
  }
  void places() {
    if (core_.state == JobState::kPending) out_ << " pending=" << static_cast<int>(core_.pending);
    put("ready_seq", core_.ready_seq), put("batch_place", core_.batch_place);
    put("holder", core_.holder), put("subscription", core_.subscription);
    put("lease", core_.lease), put("epoch", core_.lease_epoch), put("delivery_no", core_.delivery_no);
    put("created", core_.created_ns), put("start_after", core_.start_after_ns), put("ready", core_.ready_ns);
    put("assigned", core_.assigned_ns), put("until", core_.lease_until_ns);
    put("finished", core_.finished_ns);
  }
  void bytes() {
    put("payload", core_.payload_bytes), put("dropped", row_.payload_dropped);
    out_ << " record=" << hash_of(row_.record) << " result=" << hash_of(row_.result);
    if (!row_.note.empty()) out_ << " note='" << row_.note << "'";
    for (const AttemptInfo& a : row_.history) {
      out_ << " attempt(" << a.attempt << " " << reason_name(a.reason) << " " << a.when_ns << " " << a.session
           << " " << a.uid << " '" << a.error << "')";
    }
    for (const ReviewInfo& r : row_.reviews)
      out_ << " review(" << r.when_ns << " " << r.session << " " << r.uid << " '" << r.resolution << "')";
  }

  const JobRow& row_;
  const JobCore& core_;
  std::ostringstream out_;
};

void put_queue(std::ostream& out, const QueueEntry& queue) {
  const QueueSettings& s = queue.settings;
  out << "queue " << queue.name << " paused=" << queue.paused << " draining=" << queue.draining
      << " dead_letters=" << queue.dead_letters << " overridden=" << queue.overridden << " by "
      << queue.overridden_uid << " at " << queue.overridden_ns << " depth=" << s.max_depth
      << " bytes=" << s.max_bytes << " admission=" << s.admission_timeout_ms
      << " queue_timeout=" << s.queue_timeout_ms << " processing_timeout=" << s.processing_timeout_ms
      << " active=" << s.max_active << " attempts=" << s.max_attempts << " backoff=" << s.backoff_first_ms
      << ".." << s.backoff_cap_ms << " guard=" << s.starvation_guard << " batch=" << s.batch_size << "/"
      << s.batch_interval_ms << " fair=" << static_cast<int>(s.fair) << "\n";
}

void put_session(std::ostream& out, const SessionEntry& session) {
  out << "session " << session.number << " uid=" << session.uid << " pid=" << session.pid
      << " tag=" << session.tag << " secret=" << hex(session.secret_hash) << " from=" << session.resumed_from
      << " deliveries=" << session.deliveries << " receipts=" << session.receipts << " lanes=";
  for (const LanePosition& lane : session.lanes) out << lane.seq << "/" << lane.bytes << " ";
  for (const uint64_t counter : session.last_counter) out << counter << " ";
  for (const ReceiptIssued& receipt : session.kept_receipts)
    out << "receipt(" << receipt.seq << " " << static_cast<int>(receipt.code) << ") ";
  for (const SubscriptionEntry& s : session.subscriptions) {
    out << "subscription(" << s.number << " " << s.queue << " " << s.credits;
    for (const TypeNo type : s.types) out << " " << type;
    out << ") ";
  }
  out << "\n";
}

void put_tables(std::ostream& out, const Tables& tables) {
  out << "next job=" << tables.next_job << " lease=" << tables.next_lease
      << " ready_seq=" << tables.next_ready_seq << " epoch=" << tables.epoch << " now=" << tables.now_ns
      << "\n";
  for (QueueNo queue = 0; queue < tables.queue_count(); ++queue) put_queue(out, tables.queue(queue));
  for (TypeNo type = 0; type < tables.type_count(); ++type) out << "type " << tables.type(type) << "\n";
  for (const auto& [number, session] : tables.sessions()) put_session(out, session);
  for (const auto& [name, s] : tables.schedules().all()) {
    out << "schedule " << name << " '" << s.spec << "' " << s.zone << " queue=" << s.queue
        << " type=" << s.type << " owner=" << s.owner_uid << " set=" << s.set_ns << " due=" << s.due_ns
        << " last=" << s.last_ns << " code=" << static_cast<int>(s.last_code)
        << " record=" << hash_of(s.record) << "\n";
  }
  out << "rate of 0/somebody " << tables.rates.tat({0, "somebody"}) << "\n";
}

}  // namespace

std::map<JobNo, Bytes> live_rows_of(const State& state) {
  std::map<JobNo, Bytes> rows;
  state.jobs.for_each([&](Slot slot) {
    const JobCore core = state.jobs.core(slot);
    if (!is_finished(core.state)) rows[core.no] = encode_row(row_of(state, slot));
  });
  return rows;
}

std::string StorePicture::text() const {
  std::ostringstream out;
  out << "commit " << last_commit << " " << hex(last_hash) << "\n";
  put_tables(out, tables);
  const auto put_row = [&](const char* what, const Bytes& bytes) {
    const auto row = decode_row(bytes);
    out << what << " " << (row ? RowText(tables, *row).text() : "cannot be read") << "\n";
  };
  for (const auto& [no, row] : live) put_row("live", row);
  for (const auto& [id, row] : finished) put_row("finished", row);
  for (const auto& [no, id] : dead_letters) out << "dead letter " << no << " " << id.to_string() << "\n";
  for (const auto& [key, kept] : keys) {
    out << "key " << hex(key) << " content=" << hex(kept.content) << " job=" << kept.first.to_string()
        << " until=" << kept.expires_ns << "\n";
  }
  return out.str();
}

}  // namespace pqd::test
