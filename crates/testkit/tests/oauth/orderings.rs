//! The ways in which an intruder and the owner of an address may come one after another: whatever they do, and in whichever
//! order, the intruder does not get into the account of that address. [CVE-2024-38351, CVE-2026-44166, CVE-2026-41574]

use crate::{Scene, follow, person, post, refusal, scene_with, settings, sign_up, through, told, user};
use backstay_auth::settings::Settings;
use backstay_base::limit::Limits;
use backstay_testkit::seed;
use backstay_testkit::served::Ask;
use rand::Rng;
use rand::seq::IndexedRandom;
use serde_json::json;

const INTRUDERS: &str = "intruder1";

/// What somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The intruder signs up with the address.
    IntruderSignsUp,
    /// The intruder comes from a service which has not verified that the address is theirs.
    IntruderClaims,
    /// The intruder, with an account of their own at a service, asks for the address.
    IntruderMoves,
    /// The intruder asks for a link to sign in with.
    IntruderAsksForLink,
    /// The owner signs up, and follows the link.
    OwnerSignsUp,
    /// The owner follows a link to reset the password.
    OwnerRecovers,
    /// The owner comes from a service which has verified the address.
    OwnerComes,
    /// The owner comes from another one.
    OwnerComesElsewhere,
}

const STEPS: [Step; 8] = [
    Step::IntruderSignsUp,
    Step::IntruderClaims,
    Step::IntruderMoves,
    Step::IntruderAsksForLink,
    Step::OwnerSignsUp,
    Step::OwnerRecovers,
    Step::OwnerComes,
    Step::OwnerComesElsewhere,
];

/// One ordering, with addresses of its own.
struct Run<'a> {
    scene: &'a Scene,
    number: usize,
    /// Access tokens that the intruder got.
    held: Vec<String>,
}

impl Run<'_> {
    fn owner(&self) -> String {
        format!("owner{}@x.test", self.number)
    }

    fn intruder(&self) -> String {
        format!("intruder{}@x.test", self.number)
    }

    /// The intruder at `corp`, whose address is not verified there.
    async fn claims(&mut self) {
        let Scene { served, corp, .. } = self.scene;
        let sub = format!("intruder {}", self.number);
        corp.sign_in(json!({"sub": sub, "email": self.owner(), "email_verified": false, "name": "Eve"}));
        self.held.extend(told(&through(served, corp, "provider=corp").await, "access_token"));
    }

    /// The intruder at `other`, with an address of their own.
    async fn own_account(&mut self) -> Option<String> {
        let Scene { served, other, .. } = self.scene;
        other.sign_in(person(&format!("intruder {}", self.number), &self.intruder()));
        let token = told(&through(served, other, "provider=other").await, "access_token");
        self.held.extend(token.clone());
        token
    }

    async fn does(&mut self, step: Step) {
        let Scene { served, corp, other } = self.scene;
        let (owner, sub) = (self.owner(), format!("owner {}", self.number));
        let _ = served.letters();
        match step {
            Step::IntruderSignsUp => {
                let answer = sign_up(served, &owner, INTRUDERS).await;
                self.held.extend(crate::body(&answer)["access_token"].as_str().map(str::to_owned));
            }
            Step::IntruderClaims => self.claims().await,
            Step::IntruderMoves => {
                if let Some(token) = self.own_account().await {
                    let asked = json!({"email": owner}).to_string();
                    let ask = Ask::new("nobody", "PUT", "/auth/v1/user", &asked);
                    served.ask(&ask.header("authorization", &format!("Bearer {token}"))).await;
                }
            }
            Step::IntruderAsksForLink => drop(post(served, "/otp", &json!({"email": owner})).await),
            Step::OwnerSignsUp => {
                // where others signed up before, or addresses count unseen, there may be no letter
                sign_up(served, &owner, crate::OWN).await;
                self.follows(&owner).await;
            }
            Step::OwnerRecovers => {
                post(served, "/recover", &json!({"email": owner})).await;
                self.follows(&owner).await;
            }
            Step::OwnerComes => {
                corp.sign_in(person(&sub, &owner));
                through(served, corp, "provider=corp").await;
            }
            Step::OwnerComesElsewhere => {
                other.sign_in(person(&sub, &owner));
                through(served, other, "provider=other").await;
            }
        }
    }

    /// The owner follows the link of a letter that they asked for.
    async fn follows(&self, to: &str) {
        let letters = self.scene.served.letters();
        if let Some(letter) = letters.iter().rfind(|letter| letter.to == to) {
            let link = letter.text.lines().find(|line| line.starts_with("http")).unwrap();
            let target = link.split_once("/auth/v1").map(|(_, target)| format!("/auth/v1{target}")).unwrap();
            self.scene.served.ask(&Ask::new("nobody", "GET", &target, "")).await;
        }
    }

    /// Whether the intruder is, or gets, into the account of the address.
    async fn intruder_is_in(&mut self) -> bool {
        let served = &self.scene.served;
        let asked = json!({"email": self.owner(), "password": INTRUDERS});
        let answer = post(served, "/token?grant_type=password", &asked).await;
        self.held.extend(crate::body(&answer)["access_token"].as_str().map(str::to_owned));
        assert!(matches!(answer.status, 200 | 400), "{:?}", refusal(&answer));
        self.claims().await;
        self.own_account().await;
        for token in &self.held {
            if user(served, token).await["email"] == self.owner().as_str() {
                return true;
            }
        }
        false
    }
}

/// All orderings of two, and some longer ones.
fn orderings() -> Vec<Vec<Step>> {
    let mut all: Vec<Vec<Step>> = STEPS.iter().map(|step| vec![*step]).collect();
    all.extend(STEPS.iter().flat_map(|first| STEPS.iter().map(move |second| vec![*first, *second])));
    let mut rng = seed::seeded("orderings of sign-ins", 1);
    for _ in 0..seed::cases(60) {
        let length = rng.random_range(3..=5);
        all.push((0..length).map(|_| *STEPS.choose(&mut rng).unwrap()).collect());
    }
    all
}

#[tokio::test]
async fn nobody_gets_into_the_account_of_an_address_but_who_reads_its_mail() {
    let scene = scene_with(settings(), Limits::default()).await;
    for (number, steps) in orderings().into_iter().enumerate() {
        let mut run = Run { scene: &scene, number, held: Vec::new() };
        for step in &steps {
            run.does(*step).await;
        }
        assert!(!run.intruder_is_in().await, "{steps:?}");
    }
}

/// Where addresses count as confirmed unseen, whoever signs up first is in; a service that has verified the address
/// puts them out, and they stay out.
#[tokio::test]
async fn where_addresses_count_unseen_the_owner_puts_the_intruder_out() {
    let scene = scene_with(Settings { autoconfirm: true, ..settings() }, Limits::default()).await;
    for (number, mut steps) in orderings().into_iter().enumerate() {
        let mut run = Run { scene: &scene, number, held: Vec::new() };
        steps.insert(steps.len() / 2, Step::OwnerComes);
        for step in &steps {
            run.does(*step).await;
        }
        assert!(!run.intruder_is_in().await, "{steps:?}");
    }
}

#[tokio::test]
async fn the_owner_gets_in_after_all_of_it() {
    let scene = scene_with(settings(), Limits::default()).await;
    let Scene { served, corp, .. } = &scene;
    for (number, steps) in orderings().into_iter().enumerate().take(40) {
        let mut run = Run { scene: &scene, number, held: Vec::new() };
        for step in &steps {
            run.does(*step).await;
        }
        corp.sign_in(person(&format!("owner {number}"), &run.owner()));
        let place = through(served, corp, "provider=corp").await;
        assert!(told(&place, "access_token").is_some(), "{steps:?} {place}");
        let _ = served.letters();
        post(served, "/recover", &json!({"email": run.owner()})).await;
        assert!(told(&follow(served).await, "access_token").is_some(), "{steps:?}");
    }
}
