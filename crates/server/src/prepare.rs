//! From a request to a script that may run: parse → resolve → weave. A read or an insert that comes again, with
//! other values at most, was woven before. No socket, no clock, no engine.

use backstay_base::fault::Fault;
use backstay_base::ids::Ids;
use backstay_policy::caller::{Caller, RequestInfo};
use backstay_policy::guarded::Guarded;
use backstay_policy::limit::{Charge, charges};
use backstay_policy::recurring::{Kept, Recurring, types, values};
use backstay_policy::weave::weave;
use backstay_query::named::Query;
use backstay_query::plan::Script;
use backstay_query::resolve::{Reach, resolve};
use backstay_rest::answer::Answer;
use backstay_rest::form::Form;
use backstay_rest::parse::parse_formed;
use backstay_rest::request::{Request, Settings};
use backstay_schema::catalog::Catalog;
use backstay_schema::scalar::ScalarType;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What preparing needs of a server.
#[derive(Clone, Copy)]
pub struct With<'a> {
    /// Settings of the codec, limits among them.
    pub settings: &'a Settings,
    /// Requests that came before.
    pub recurring: &'a Recurring<Answer>,
    /// For the keys of new rows.
    pub ids: &'a Ids,
}

/// A request that may run.
pub struct Ready {
    /// What to run.
    pub guarded: Guarded<Script>,
    /// How to answer.
    pub answer: Answer,
    /// What it costs, to be taken before it runs.
    pub costs: Vec<Charge>,
}

/// Prepares a request of the REST door; `done` hears of each stage.
///
/// # Errors
/// Whatever refuses the request before it reaches a database.
pub fn prepare(
    with: &With<'_>,
    request: &Request<'_>,
    (caller, info): (&Caller, RequestInfo<'_>),
    catalog: &Arc<Catalog>,
    done: &mut dyn FnMut(&'static str),
) -> Result<Ready, Fault> {
    let mut form = Form::of(request, &with.settings.limits);
    if let Some(form) = &form
        && let Some(kept) = with.recurring.find(&form.text, caller, catalog)
        // what is no value of its type is refused in its turn, as in a first request
        && let Some(guarded) = again(&kept, form, info.now_micros, with.ids)
    {
        return Ok(Ready { guarded, answer: kept.answer.clone(), costs: Vec::new() });
    }
    let body = form.as_mut().and_then(Form::take_body);
    let mut parsed = parse_formed(request, with.settings, body)?;
    done("parse");
    parsed.answer.bind(catalog, &mut parsed.query)?;
    let keeping = form.and_then(|form| Keeping::of(form, &mut parsed.query, &parsed.answer, catalog));
    let steps = [(parsed.query, parsed.expect)];
    let script = resolve(catalog, &steps, parsed.end, Reach::Public, &with.settings.limits)?;
    done("resolve");
    let momentary = AtomicBool::new(false);
    let info = RequestInfo { deleted: parsed.deleted, momentary: Some(&momentary), ..info };
    let costs = charges(&script, caller, &info, catalog)?;
    let guarded = weave(script, caller, &info, catalog, with.ids)?;
    let Some(keeping) = keeping else { return Ok(Ready { guarded, answer: parsed.answer, costs }) };
    let (kept, guarded) = keeping.kept(guarded, &parsed.answer)?;
    // whoever is charged for a request is looked at each time
    if costs.is_empty()
        && !momentary.into_inner()
        && let Some(kept) = kept
    {
        with.recurring.keep(&keeping.form.text, caller, Arc::new(kept));
    }
    Ok(Ready { guarded, answer: parsed.answer, costs })
}

/// A request that was kept, with the values of this one; none where it has to be woven anew.
fn again(kept: &Kept<Answer>, form: &Form<'_>, now_micros: i64, ids: &Ids) -> Option<Guarded<Script>> {
    match form.cells() {
        Some(cells) => kept.with_row(cells, now_micros, ids),
        None => kept.with(&form.values).ok(),
    }
}

/// A request that may be kept.
struct Keeping<'r> {
    form: Form<'r>,
    holes: Holes,
}

/// What was taken out of it.
enum Holes {
    /// Values that are compared, of these types.
    Compared(Vec<ScalarType>),
    /// The row of an insert, if weaving finds that another may take its place.
    Row,
}

impl<'r> Keeping<'r> {
    fn of(form: Form<'r>, query: &mut Query, answer: &Answer, catalog: &Catalog) -> Option<Self> {
        if matches!(query, Query::Insert(_)) {
            return Some(Self { form, holes: Holes::Row });
        }
        let types = types(catalog, answer.table(), &form.fields(query)?)?;
        // a value that is none of its type is refused where it stands, before what comes after it
        values(&types, &form.values, catalog).ok()?;
        Form::generalize(query);
        Some(Self { form, holes: Holes::Compared(types) })
    }

    /// What is kept of a woven request, if anything is, and what is run.
    fn kept(
        &self,
        guarded: Guarded<Script>,
        answer: &Answer,
    ) -> Result<(Option<Kept<Answer>>, Guarded<Script>), Fault> {
        match &self.holes {
            Holes::Row => Ok((Kept::of_row(&guarded, answer.clone()), guarded)),
            Holes::Compared(types) => {
                let kept = Kept::new(guarded, types.clone(), answer.clone());
                let guarded = kept.with(&self.form.values)?;
                Ok((Some(kept), guarded))
            }
        }
    }
}
