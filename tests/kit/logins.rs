//! Proxies and web servers that want a login, the KDC that gives tickets for them, and the accounts of all.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::daemon::Daemon;
use super::servers::{Lab, Ready, SQUID_USER, as_squid, identity};
use super::wait;

/// The KDC's realm.
const REALM: &str = "LAB.TEST";

/// The account of SECRETS in kit.rs.
const USER: &str = "alice";
const PASSWORD: &str = "wonderland";

/// The proxies and servers for which there are tickets, whether or not they take them, by the names of their principals.
const KERBERIZED: [&str; 7] = [
    "squid-negotiate",
    "squid-all",
    "squid-all-closes",
    "squid-digest",
    "squid-negotiate-ntlm",
    "origin-all",
    "origin-negotiate",
];

const DIGEST: &str = "\
auth_param digest program /usr/lib/squid/digest_file_auth @dir@/squid/digest
auth_param digest children 2 startup=1
auth_param digest realm lab
";

const NTLM: &str = "\
auth_param ntlm program @dir@/ntlm-auth.py
auth_param ntlm children 4 startup=1
";

/// It takes any password, and curl's messages too.
const NTLM_FAKE: &str = "\
auth_param ntlm program /usr/lib/squid/ntlm_fake_auth
auth_param ntlm children 4 startup=1
";

const NEGOTIATE: &str = "\
auth_param negotiate program /usr/lib/squid/negotiate_kerberos_auth -k @dir@/krb5/proxy.keytab -s GSS_C_NO_NAME
auth_param negotiate children 4 startup=1
";

const NEGOTIATE_NTLM: &str = "\
auth_param negotiate program @dir@/ntlm-auth.py negotiate
auth_param negotiate children 4 startup=1
";

const NEGOTIATE_BOTH: &str = "\
auth_param negotiate program /usr/lib/squid/negotiate_wrapper_auth --ntlm @dir@/ntlm-auth.py \
--kerberos /usr/lib/squid/negotiate_kerberos_auth -k @dir@/krb5/proxy.keytab -s GSS_C_NO_NAME
auth_param negotiate children 4 startup=1
";

const BASIC: &str = "\
auth_param basic program /usr/lib/squid/basic_ncsa_auth @dir@/squid/passwords
auth_param basic children 2 startup=1
auth_param basic realm lab
";

/// A 407 comes with `Connection: close`.
const CLOSES: &str = "client_persistent_connections off\n";

impl Lab<'_> {
    /// Starts a proxy for each scheme, and some for several; and squids that stand before a web server and want a login
    /// for that, by 401. The first proxy has made the folder of squid.
    pub(super) fn logins(&self) -> Vec<(Daemon, Ready)> {
        let digest = format!("{USER}:{PASSWORD}\nbob:s3cret\n");
        fs::write(self.dir.join("squid/digest"), digest).unwrap();
        let accounts = format!("LAB:{USER}:{PASSWORD}\n");
        self.write("ntlm-accounts", &accounts);
        let helper = self.write("ntlm-auth.py", include_str!("../lab/ntlm-auth.py"));
        run(Command::new("chmod").args(["755", &helper]));
        let all = [NEGOTIATE_BOTH, NTLM, DIGEST, BASIC].concat();
        vec![
            self.squid_with_login("squid-digest", DIGEST),
            self.squid_with_login("squid-ntlm", NTLM),
            self.squid_with_login("squid-ntlm-fake", NTLM_FAKE),
            self.squid_with_login("squid-negotiate", NEGOTIATE),
            self.squid_with_login("squid-negotiate-ntlm", NEGOTIATE_NTLM),
            self.squid_with_login("squid-all", &all),
            self.squid_with_login("squid-all-closes", &[CLOSES, &all].concat()),
            self.origin_with_login("origin-all", &all),
            self.origin_with_login("origin-negotiate", NEGOTIATE),
            self.origin_with_login("origin-closes", &[CLOSES, NTLM, DIGEST].concat()),
        ]
    }

    fn squid_with_login(&self, name: &str, schemes: &str) -> (Daemon, Ready) {
        let daemon = self.squid_of(name, include_str!("../lab/squid-login.conf"), schemes);
        (daemon, Ready::Accepts(self.at(name, 3128)))
    }

    fn origin_with_login(&self, name: &str, schemes: &str) -> (Daemon, Ready) {
        let daemon = self.squid_of(name, include_str!("../lab/squid-origin.conf"), schemes);
        (daemon, Ready::Accepts(self.at(name, 8443)))
    }

    fn squid_of(&self, name: &str, template: &str, schemes: &str) -> Daemon {
        let conf = template
            .replace("@schemes@", schemes)
            .replace("@name@", name)
            .replace("@listen@", &self.block.address(name).to_string());
        let conf = self.write(&format!("{name}.conf"), &conf);
        // Each instance keeps files in shared memory under a name of its own, of letters and digits.
        let tag = format!("{}{}", self.block.tag(), name.replace('-', ""));
        let command = as_squid(&["squid", "-N", "-n", &tag, "-f", &conf]);
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        Daemon::start_with(name, &command, self.dir, |command| {
            command
                .env("KRB5_CONFIG", self.dir.join("krb5/krb5.conf"))
                .env("NTLM_USER_FILE", self.dir.join("ntlm-accounts"));
        })
    }

    /// Makes the realm with its principals and keytabs, and starts its KDC.
    pub(super) fn kdc(&self) -> Daemon {
        fs::create_dir(self.dir.join("krb5")).unwrap();
        self.write("krb5/krb5.conf", include_str!("../lab/krb5.conf"));
        self.write("krb5/kdc.conf", include_str!("../lab/kdc.conf"));
        let create = ["create", "-s", "-r", REALM, "-P", "master"];
        run(self.kerberos("kdb5_util").args(create));
        let mut wishes = vec![
            format!("addprinc -pw {PASSWORD} {USER}"),
            "addprinc -randkey +requires_preauth svc-reachd".to_owned(),
            // Each of these makes a new key, so that the first keytab is old.
            self.filled("ktadd -q -k @dir@/krb5/old.keytab svc-reachd"),
            self.filled("ktadd -q -k @dir@/krb5/svc-reachd.keytab svc-reachd"),
        ];
        for name in KERBERIZED {
            let principal = format!("HTTP/{name}.lab.test");
            wishes.push(format!("addprinc -randkey {principal}"));
            wishes.push(self.filled(&format!("ktadd -q -k @dir@/krb5/proxy.keytab {principal}")));
        }
        let wishes = self.write("krb5/wishes", &format!("{}\n", wishes.join("\n")));
        let wishes = fs::File::open(wishes).unwrap();
        run(self.kerberos("kadmin.local").stdin(wishes));
        self.keytab_of_elsewhere("DOWN.TEST");
        self.keytab_of_elsewhere("SILENT.TEST");
        let keytab = self.dir.join("krb5/proxy.keytab");
        let (user, group) = identity(SQUID_USER);
        std::os::unix::fs::chown(keytab, Some(user), Some(group)).unwrap();
        Daemon::start_with("kdc", &["krb5kdc", "-n"], self.dir, |command| {
            environment(command, self.dir);
        })
    }

    /// A key for a realm whose KDC never learns of it.
    fn keytab_of_elsewhere(&self, realm: &str) {
        let name = realm.split('.').next().unwrap().to_lowercase();
        let wishes = format!(
            "addent -password -p svc-reachd@{realm} -k 1 -e aes256-cts-hmac-sha1-96\nsecret\n\
             wkt @dir@/krb5/{name}.keytab\nquit\n"
        );
        let wishes = self.write("krb5/wishes", &wishes);
        let wishes = fs::File::open(wishes).unwrap();
        run(self.kerberos("ktutil").stdin(wishes));
    }

    /// Gets the tickets of the user, once the KDC runs: good ones, and some that are over soon.
    pub(super) fn tickets(&self) {
        for (cache, lifetime) in [("good", "1h"), ("expired", "1s")] {
            let cache = self.filled(&format!("@dir@/krb5/{cache}.cache"));
            let password = self.write("krb5/wishes", &format!("{PASSWORD}\n"));
            let password = fs::File::open(password).unwrap();
            let arguments = ["-l", lifetime, "-c", &cache, USER];
            run(self.kerberos("kinit").args(arguments).stdin(password));
        }
    }

    /// Waits until those are over.
    pub(super) fn expiry(&self) {
        let cache = self.filled("@dir@/krb5/expired.cache");
        let expired = wait::within(Duration::from_secs(10), || {
            let service = "HTTP/squid-all.lab.test";
            let mut use_it = self.kerberos("kvno");
            use_it.args(["-q", "-c", &cache, service]);
            (!use_it.output().unwrap().status.success()).then_some(())
        });
        assert!(expired.is_some(), "a ticket for a second is good for ten");
    }

    fn kerberos(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        environment(&mut command, self.dir);
        command
    }
}

fn environment(command: &mut Command, dir: &Path) {
    command
        .env("KRB5_CONFIG", dir.join("krb5/krb5.conf"))
        .env("KRB5_KDC_PROFILE", dir.join("krb5/kdc.conf"));
}

fn run(command: &mut Command) {
    let output = command.stderr(Stdio::piped()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{command:?}:\n{said}");
}
